"""What the other words of a sentence do: claim a status, deny, compare, count, or nothing at all.

One line a meaning: `value: English; English | Chinese; Chinese`. A word that stands in none of these tables and in no
cited resource asserts something that nobody can check, and drops its sentence.
"""

OPERATORS = {
    "deny": """
no: no; not; denies; denied; deny; without; nor; neither; no evidence of; no sign of; no signs of; negative for; free of; absence of; isn t; wasn t; doesn t; hasn t; does not; did not; is not; was not; has not; no history of; never; lacks; no mention of; without mention of; no record of; rather than | 无; 没有; 否认; 未见; 未; 不; 非; 并无; 未发现; 未诊断; 未患; 未曾; 没; 从未; 无明显; 不存在; 未服用; 不服用; 未使用; 不是; 未提及; 未记录
out: ruled out; rules out; excluded; excludes; was ruled out; refuted; been ruled out | 已排除; 排除
""",
    "state": """
active: active; currently; current; ongoing; presently; at present; present; now; takes; taking; is taking; is on; remains on; maintained on; continues on; currently on; currently takes; continues; remains; still; suffers from; suffering from; lives with; living with; is being treated with; is treated with; receives; receiving; uses; using; has; have; under treatment with; since; existing; chronic use; persists; has active; in progress; is receiving; has had since; remains in hospital; still in hospital; remains an inpatient; still an inpatient; still admitted | 目前; 现; 现有; 患有; 正在; 正在服用; 目前服用; 服用; 正服用; 现服用; 在服; 活动性; 活动期; 持续; 仍; 仍在; 自; 以来; 尚; 当前; 长期服用; 规律服用; 存在; 有效; 进行中; 现患; 患; 正在使用; 使用中; 罹患; 活跃; 处于活动状态; 在用; 伴有; 合并; 仍在院; 在院; 仍住院; 住院中; 仍在住院; 目前在院
past: no longer takes; no longer taking; no longer on; previously took; previously taken; previously taking; previously on; previously used; previously treated with; was previously on; used to take; formerly took; resolved; no longer; former; formerly; inactive; in remission; previously had; healed; subsided; has resolved; was resolved; has since resolved; ended; no longer active; no longer present; abated; cleared; discharged; was discharged; has been discharged; discharged home | 不再服用; 现已不再服用; 已愈; 已缓解; 已解决; 已痊愈; 痊愈; 缓解; 已治愈; 不再; 既往曾; 曾患; 已消退; 已恢复; 非活动性; 结束; 已结束; 曾有; 已好转; 出院; 已出院
stopped: stopped; discontinued; was stopped; ceased; came off; taken off; was discontinued; withdrawn | 已停用; 停用; 已停药; 停药; 停止服用; 已停; 停止; 已停止; 中止
completed: completed; finished; course completed | 已完成; 完成; 已结束疗程
held: on hold; held; paused; suspended | 暂停; 暂停使用; 暂缓
""",
    "certainty": """
suspected: suspected; possible; probable; possibly; probably; likely; may have; might have; presumed; suspicion of; provisional; tentative; query; unconfirmed; differential; working diagnosis; ?; to rule out; to exclude; rule out | 疑似; 可疑; 可能; 考虑; 待排; 待查; 怀疑; 拟诊; 疑; 未确诊; 待确诊; 不排除; 不除外
confirmed: confirmed; definite; established | 确诊; 已确诊; 明确
""",
    "time": """
planned: planned; scheduled; booked; is booked; has been booked; is booked in for; booked for; booked in; will; upcoming; awaiting; pending; to be; is due for; plans; is to; requested; referred for; referred; proposed; is proposed; drafted; have been drafted; has been drafted; draft; drafts; being ordered; is being ordered; to be signed; awaiting signature; unsigned; not yet signed; not yet started | 计划; 拟; 待; 预约; 将; 拟行; 安排; 将于; 已预约; 待签; 待签署; 草拟; 拟用; 拟予; 待执行; 待签医嘱
done: placed; was placed; were placed; inserted; was inserted; were inserted; underwent; performed; was performed; was given; given; administered; received; has received; has undergone; was done; done; undergone; had; carried out; was carried out; vaccinated; immunized; immunised; was vaccinated; got | 接受; 行; 曾行; 已行; 进行了; 接种; 已接种; 接受了; 接种了; 接受过; 做过; 施行; 曾接受; 曾接种; 进行; 实施
""",
    "trend": """
up: up by; is up; are up; is up by; gone up; has gone up; have gone up; has put on; put on weight; drifted up; drifting up; crept up; creeping up; edged up; rose; risen; rising; rise; increased; increasing; increase; went up; climbed; up from; going up; gained; higher than before; trending up; upward; grew; has risen; has increased; gain | 上升; 升至; 增加; 增至; 升高至; 上升至; 增长; 涨至; 由低升高; 升到; 升高到; 增高到; 上升到; 逐渐升高; 呈上升趋势; 增高至; 增加至; 增加到
down: gone down; has gone down; have gone down; has slipped; slipped; dipped; down; came down; come down; has come down; have come down; coming down; drifted down; drifting down; fell; fallen; falling; fall; decreased; decreasing; decrease; went down; dropped; declined; declining; decline; down from; lost; reduced; trending down; downward; drop; has fallen; has decreased; has dropped; has declined; loss | 下降; 降至; 减少; 减至; 降低至; 下降至; 降到; 降低到; 降低; 下降到; 逐渐下降; 呈下降趋势; 减少至; 减轻
same: stayed; has stayed; stayed at; has stayed at; remained at; has remained at; much the same; about the same; essentially unchanged; largely unchanged; broadly stable; essentially stable; relatively stable; similar; similar to; stable; unchanged; steady; constant; remained the same; no change; remained stable; without change | 基本稳定; 大致稳定; 相对稳定; 基本不变; 变化不大; 无明显变化; 相仿; 相近; 持平; 稳定; 不变; 未变; 平稳; 无变化; 保持稳定
better: improved; improving; improvement; better | 改善; 好转
worse: worsened; worsening; deteriorated; worse; deteriorating | 恶化; 加重; 变差
twice: doubled; doubling; twofold; two fold; 2 fold | 翻倍; 加倍; 翻了一番
half: halved; halving | 减半
x3: tripled; threefold; three fold; 3 fold; tripling | 增至三倍; 增至3倍
x4: quadrupled; fourfold; four fold; 4 fold | 增至四倍; 增至4倍
x5: fivefold; five fold; 5 fold | 增至五倍; 增至5倍
x6: sixfold; six fold; 6 fold | 增至六倍; 增至6倍
x7: sevenfold; seven fold; 7 fold | 增至七倍; 增至7倍
x8: eightfold; eight fold; 8 fold | 增至八倍; 增至8倍
x10: tenfold; ten fold; 10 fold | 增至十倍; 增至10倍
monotone: steadily; progressively; consistently; continuously | 持续; 逐年; 逐步
range: ranged; ranging; range from; ranged from; ranged between; ranging from; ranging between; varied; varied between; hovered; hovered between; hovering between; fluctuated; fluctuated between; fluctuating between; oscillated between | 波动; 波动于; 波动在
changed: changed; change; went; moved | 变化; 变为; 变化为
""",
    "level": """
high: high; elevated; raised; above normal; above the normal range; above range; above the reference range; above reference range; above the upper limit of normal; above the upper limit; higher than normal; abnormally high; above the reference; above limits | 高; 偏高; 升高; 增高; 过高; 高于正常; 高于参考范围; 超出正常上限; 高于正常范围; 高于正常值; 高于参考值; 高于上限; 高于参考值上限; 高于正常上限
low: low; below normal; below the normal range; below range; below the reference range; below reference range; lower than normal; abnormally low; reduced level; below the lower limit of normal; below the lower limit; depressed level; below the reference | 低; 偏低; 过低; 低于正常; 低于参考范围; 低于正常范围; 低于正常值; 低于参考值; 低于下限; 低于参考值下限; 低于正常下限
normal: preserved; normal; within normal limits; within the normal range; within normal range; in the normal range; unremarkable; within the reference range; within reference range; wnl; in range; within range; within limits; within the reference interval | 正常; 在正常范围内; 正常范围内; 在参考范围内; 参考范围内; 在正常范围; 正常范围; 于正常范围; 未见异常; 处于正常范围
abnormal: abnormal; out of range; outside the reference range; outside the normal range; out of the normal range; called abnormal by the laboratory; flagged abnormal; impaired; deranged; poor | 异常; 超出正常范围; 超出参考范围; 不正常; 异常; 受损; 减退; 不全; 受损
critical: critical; critically; called critical by the laboratory | 危急; 危急值
""",
    "compare": """
gt: above; greater than; more than; over; higher than; exceeds; exceeding; exceeded; in excess of; >; in excess of | 高于; 超过; 大于; 多于; 超; 超出
lt: below; less than; under; lower than; < | 低于; 小于; 不足; 少于; 不到
ge: at least; no less than; greater than or equal to; ≥; or more; or higher | 至少; 不低于; 不少于
le: at most; no more than; up to; less than or equal to; ≤ | 至多; 不超过; 最多; 不高于
about: about; approximately; around; roughly; nearly; almost; circa; some; ~; ≈ | 约; 大约; 左右; 近; 大概
""",
    "degree": """
slight: slight; slightly; marginal; marginally; minimal; minimally; a little; a bit; a touch | 轻微; 略; 稍; 稍微; 略微; 略有; 稍有
marked: marked; markedly; significant; significantly; substantial; substantially; considerable; considerably; grossly; profound; profoundly; very; dramatically | 明显; 显著; 大幅; 非常; 很
""",
    "agree": """
conflict: conflicting; discrepant; inconsistent; contradictory; discordant; differing; disagree; conflict; do not agree | 不一致; 矛盾; 相互矛盾; 互相矛盾; 不符
recent: newly diagnosed; new diagnosis of; recently diagnosed; newly; new | 新诊断; 新近诊断; 新发; 初诊
same_day: same day; on the same day; on that day; that same day; the same date | 同一天; 同日; 当天; 同一日
""",
    "ordinal": """
2: second; 2nd | 第二次; 第2次
3: third; 3rd | 第三次; 第3次
4: fourth; 4th | 第四次; 第4次
5: fifth; 5th | 第五次; 第5次
6: sixth; 6th | 第六次; 第6次
""",
    "control": """
good: well controlled; good control; good glycemic control; adequately controlled; at goal; under good control; well controlled with | 控制良好; 控制可; 控制满意; 控制达标; 控制较好; 血糖控制良好; 血压控制良好; 血糖控制可; 血压控制可; 血糖控制达标; 血压控制达标; 血糖控制满意; 血压控制满意
poor: poorly controlled; poor control; poor glycemic control; uncontrolled; badly controlled; very poorly controlled | 控制不佳; 控制差; 控制不良; 未控制; 控制极差; 血糖控制不佳; 血糖控制差; 血糖控制不良; 血压控制不佳; 血压控制差; 血糖未控制; 血压未控制
not good: suboptimal control; suboptimally controlled; inadequately controlled; not well controlled; not at goal; above goal; inadequate control; suboptimal | 控制欠佳; 控制不理想; 未达标; 控制不达标; 控制一般; 血糖控制欠佳; 血压控制欠佳; 血糖控制不理想; 血压控制不理想; 血糖未达标; 血压未达标
""",
    "rank": """
latest: latest; most recent; last; newest; most recently | 最近一次; 最新; 最近; 末次; 最后一次; 近期
first: first; earliest; initial; initially | 首次; 最早; 初次; 第一次; 初始
baseline: baseline; baseline of | 基线
highest: highest; peaked at; peaked; peaking at; peak; maximum; maximal; worst | 最高; 峰值; 最高值
lowest: lowest; nadir; minimum; trough | 最低; 最低值
""",
    "person": """
mother: mother; mother s; maternal; mom; mum | 母亲; 妈妈; 母; 其母; 母系; 之母
father: father; father s; paternal; dad | 父亲; 爸爸; 其父; 父系; 之父
parent: parent; parents | 父母
brother: brother; brother s; brothers | 兄弟; 哥哥; 弟弟; 兄; 弟
sister: sister; sister s; sisters | 姐妹; 姐姐; 妹妹; 姐; 妹
sibling: sibling; siblings | 同胞; 兄弟姐妹
son: son; son s | 儿子; 其子; 之子
daughter: daughter; daughter s | 女儿; 其女; 之女
child: child s | 子女; 孩子
spouse: wife; husband; spouse; partner; wife s; husband s | 妻子; 丈夫; 配偶; 其妻; 其夫; 之妻; 之夫
grand: grandmother; grandfather; grandparent | 祖母; 祖父; 外祖母; 外祖父; 奶奶; 爷爷; 外婆; 外公
aunt: aunt; uncle; cousin; niece; nephew | 姑姑; 叔叔; 舅舅; 阿姨; 表亲
family: family history; family history of; fh; fhx; family; relative; relatives; familial history; runs in the family; family member | 家族史; 家族; 家属; 亲属; 家人
""",
    "aged": """
elderly: elderly; older adult | 老年; 高龄; 老人
middle-aged: middle aged | 中年
young: young; young adult | 青年; 年轻
centenarian: centenarian | 百岁老人
infant: infant; baby | 婴儿; 女婴儿; 男婴儿
""",
    "gender": """
female: she; her; hers; woman; female; lady; girl; herself | 她; 女性; 女; 女士; 女患者; 女孩; 妇女; 女婴
male: he; his; him; man; male; gentleman; boy; himself | 男性; 男; 男士; 男患者; 男孩; 男婴
""",
    "kind": """
AllergyIntolerance: allergy; allergic; allergies; intolerance; hypersensitivity; intolerant; allergic to; hypersensitive; allergic reaction to | 过敏; 过敏史; 不耐受; 药物过敏; 过敏原; 变态反应
Medication: medication; medications; medicine; medicines; drug; drugs; prescription; prescribed; prescribed with; dose; dosage; treated with; therapy with; treatment with; dosed; started; was started on; started on; initiated; pills; pill; prescriptions; treatment; regular medicines; regular meds; home medications; home medicines; home meds; regular drugs; usual drugs; home medication; regular medications; regular medication; usual medications; medication list; medication regimen; added; was added; introduced; commenced; was commenced; took; meds; dosing; is prescribed; was prescribed; rx | 加用; 启用; 药物; 用药; 药品; 处方; 开具; 剂量; 给予; 药; 开始服用; 治疗; 起始; 处方药; 用量; 开具处方; 医嘱; 予; 给药; 开始使用
Condition: long term conditions; diagnosis; diagnosed; diagnosed with; diagnoses; condition; conditions; problem; problems; disease; disorder; illness; comorbidity; comorbidities; problem list; was diagnosed; was diagnosed with; is diagnosed with; diagnosis of; onset; medical problems; medical conditions | 诊断; 诊断为; 被诊断; 疾病; 病; 问题; 起病; 发病; 病症; 问题列表; 合并症; 被诊断为; 发现; 诊断出; 发病于; 症; 查出
Procedure: scan; scans; imaging; procedure; procedures; operation; operations; test; screening; exam; examination; surgical procedure; investigation; session; sessions | 手术; 操作; 术; 检查; 筛查; 术后; 检查项目
Immunization: jab; jabs; vaccine; vaccination; vaccinations; vaccines; immunization; immunisation; immunizations; immunisations; shot; shots; booster | 疫苗; 接种疫苗; 免疫接种; 预防接种; 疫苗接种
Encounter: attendance; attendances; presentation; presentations; hospital attendances; hospital visits; clinic visits; ed attendances; ed visits; brought in; came in; coming in; arrival; on arrival; visit; visits; encounter; encounters; admitted; admission; admissions; seen; attended; presented; presenting; discharged; was seen; stay; stays; was admitted; consultation; consultations; attended for; presented to; visited; discharge; appointment; seen in; was discharged; admitted to; admitted for; hospital | 就诊; 入院; 出院; 来院; 看诊; 就医; 诊; 收治; 就诊于; 次就诊; 到访; 医院
CarePlan: care plan; plan; careplan; care plans; plans of care; plan of care; management plan | 护理计划; 管理计划; 照护计划; 方案; 护理方案
Goal: goal; target; goals; aim; targets | 目标; 目标值
Device: device; devices; implant; implanted | 设备; 装置; 器械; 植入
""",
    "count": """
Condition: long term conditions; problems; conditions; diagnoses; comorbidities; diseases; active problems; chronic conditions | 个问题; 项诊断; 种疾病; 个诊断; 项问题; 种慢性病; 个疾病; 项疾病; 项活动性问题
Medication: regular drugs; regular medications; regular medicines; regular meds; medications; medicines; drugs; prescriptions; meds; active medications; current medications | 种药物; 种药; 个药物; 项处方; 种药品; 张处方
AllergyIntolerance: allergies | 种过敏; 项过敏; 个过敏; 种过敏原
Encounter: attendances; hospital attendances; hospital visits; clinic visits; ed attendances; ed visits; emergency attendances; inpatient stays; hospital stays; outpatient visits; emergency admissions; check ups; visits; encounters; admissions; hospitalizations; hospitalisations; stays; hospital admissions; consultations; emergency visits | 次就诊; 次住院; 次入院; 次急诊; 次门诊
Procedure: procedures; operations | 次手术; 项手术; 项操作; 次操作; 项检查; 次检查
Immunization: vaccines; vaccinations; immunizations; immunisations; vaccine doses; shots; doses | 次接种; 剂疫苗; 种疫苗; 剂; 针
Observation: checks; results; measurements; readings; values; tests; observations | 次测量; 项结果; 个结果; 次检测; 次测定; 次结果; 次测得; 次检验; 个数值; 个不同数值; 个值; 个读数
: sessions; courses; times; occasions; episodes; separate occasions; different occasions; entries; records | 次; 条记录; 次记录
""",
    "cause": """
due: due to; caused by; caused; because of; secondary to; as a result of; attributed to; result of; induced by; triggered by; leading to; led to; resulted in; causing; causes; because; owing to; associated with; related to; attributable to; consequence of; complication of; complicated by; induced | 由于; 因; 导致; 引起; 所致; 继发于; 引发; 造成; 并发; 相关; 诱发; 致
reason: for; to treat; indicated for; used for; in the treatment of; for the treatment of; as treatment for; treats | 用于; 用于治疗; 以治疗; 治疗用; 为治疗
shown: consistent with; in keeping with; compatible with
treated: treated with; is treated with; was treated with; is being treated with; being treated with; under treatment with; managed with; is managed with; is being managed with; controlled with; is controlled with; on treatment with; therapy with; treatment with | 治疗; 控制; 予以治疗
""",
    "side": """
left: left; left sided | 左; 左侧
right: right; right sided | 右; 右侧
both: bilateral; both sides; bilaterally | 双侧; 两侧; 双
""",
    "route": """
oral: by mouth; oral; orally; po; p o | 口服; 经口
iv: intravenous; intravenously; iv | 静脉; 静脉注射; 静注; 静脉滴注; 静脉输注
sc: subcutaneous; subcutaneously; sc; subq; under the skin | 皮下; 皮下注射
im: intramuscular; intramuscularly; intramuscular injection | 肌注; 肌内注射; 肌肉注射
inhaled: inhaled; inhalation; inhaler; by inhalation; metered dose inhaler; nebulized; nebulised | 吸入; 吸入剂; 气雾剂
topical: topical; topically; cream; ointment | 外用; 局部; 乳膏; 软膏
sublingual: sublingual; sublingually; under the tongue | 舌下; 舌下含服
transdermal: transdermal; patch; transdermally | 透皮; 贴片; 经皮
nasal: nasal; intranasal; intranasally | 鼻用; 鼻喷
vaginal: vaginal; vaginally | 阴道
injection: injection; injected; injectable; by injection | 注射; 注射液; 注射剂; 针剂
""",
    "form": """
tablet: tablet; tablets; tab; tabs; oral tablet; oral tablets | 片; 片剂; 缓释片; 肠溶片; 片装
capsule: capsule; capsules; cap; caps; oral capsule; oral capsules | 胶囊; 胶囊剂
puff: puff; puffs; inhalations; actuations | 喷; 揿; 吸
""",
    "freq": """
1: 每24小时一次; 每24小时; daily; once daily; once a day; every day; qd; od; 每24小时1次; 一天1次; 日1次; each day; one time daily; per day; every 24 hours; once per day; a day; q24h | 每日一次; 每天一次; 一日一次; 每日; 每天; 日一次; 每日1次; 每天1次; 一天一次; 每日服用一次; 1次/日; 一日1次; qd
1m: mane; every morning; in the morning; each morning; qam; om; once every morning; mornings | 每晨; 每晨1次; 每晨一次; 每早; 每早1次; 每早一次; 每日晨起1次; 每日晨起一次; 每日清晨1次; 每日清晨一次; 每日早晨1次; 每日早晨一次; 每日早上1次; 每日早上一次; 晨起1次; 早晨1次; 每日早晨; 早晨; 每天早上; 每日清晨; 早上; 晨起; 每日早上; 每天早晨; 早晨一次
1n: nocte; at bedtime; every night; nightly; at night; qhs; in the evening; every evening; each night; each evening; once nightly; with supper; with the evening meal; with dinner; before bed | 睡前; 每晚1次; 睡前1次; 睡前一次; 每晚睡前1次; 每晚睡前一次; 每日睡前1次; 每日睡前一次; 每日晚上1次; 晚上1次; qn; 每晚; 晚上; 每晚一次; 每日睡前; 每晚睡前; 晚间
2: twice daily; twice a day; bid; two times daily; two times a day; 2 times a day; every 12 hours; every twelve hours; bd; q12h; morning and evening; 2 times daily; twice per day; b i d | 每日两次; 每天两次; 一日两次; 每日2次; 每天2次; 一天两次; 每日二次; 早晚; 2次/日; 一日2次; 日两次; 早晚各一次; 每12小时一次; 每12小时1次; 每12小时; 每天二次; 分两次; bid; q12h
3: three times daily; three times a day; tid; 3 times a day; every 8 hours; every eight hours; tds; thrice daily; q8h; 3 times daily; t i d | 每日三次; 每天三次; 一日三次; 每日3次; 每天3次; 一天三次; 3次/日; 一日3次; tid; 每8小时一次; 每8小时1次; 每8小时
4: four times daily; four times a day; qid; 4 times a day; every 6 hours; every six hours; q6h; 4 times daily | 每日四次; 每天四次; 一日四次; 每日4次; 每天4次; 一日4次; 每天四次; qid; 每6小时一次; 每6小时1次; 每6小时
6: every 4 hours; every four hours; q4h; six times a day | 每4小时; 每4小时一次; 每4小时1次; 每四小时
w: weekly; once a week; every week; once weekly; each week | 每周; 每周一次; 每星期一次; 一周一次
w2: twice weekly; twice a week | 每周两次; 每周2次
w3: three times a week; three times weekly; 3 times a week; thrice weekly | 每周三次; 每周3次
mo: monthly; once a month; every month; every 4 weeks | 每月; 每月一次; 每四周一次
alt: every other day; alternate days; on alternate days; qod | 隔日; 隔日一次; 隔天一次
prn: as needed; when required; if required; prn; when needed; as required; if needed; on demand | 必要时; 按需; 需要时; 按需服用
directed: as directed; as directed by physician; as prescribed | 遵医嘱; 按医嘱
food: with food; with meals; with a meal; after meals; with each meal | 随餐; 餐后; 饭后; 与餐同服
""",
}

# Words that assert nothing by themselves. Everything here was looked at: none names, rates or advises.
NEUTRAL = """
maintenance; signed;
than before; than previously; compared with before; from before; from baseline; compared with baseline; from previously;
so far; to date; thus far; up to now;
required; requiring; requires; needed; needing; necessitated; necessitating;
following; notably; specifically; specific; particularly; similarly; likewise; accordingly; moreover; meanwhile; otherwise; in particular; regarding; concerning; with regard to; with respect to; in terms of; as regards; remarkable for; significant for; notable for; medical record; available;
slowly; gradually; background; background of; a; an; the; other; others; ref; consists of; comprises; comprising; consisting of; long standing; longstanding; clearly; status post; s p; this; that; these; those; of; in; on; at; to; by; as; from; is; are; was; were; be; been; being; has been;
have been; had been; it; its; patient; patients; pt; patient s; who; whose; which; with; and; or; also; then; there;
there is; there are; there was; there were; history; history of; medical history; past medical history; a history of;
has a history of; have a history of; had a history of; has had; past; prior; previous; previously; pmh; pmhx; known;
with a history of; known to have; known history of; documented; recorded; record; records; recorded as; noted; reported;
reports; report; shows; showed; show; shown; showing; listed; list; lists; on file; on record; according to; per; found;
stands at; stood at; measured; measurement; measures; measure; value; values; level; levels; reading; readings; result;
results; test result; tested; count; rate; score; scored; scores; total; status; lab; labs; laboratory; vital; vitals;
vital signs; blood test; serum; plasma; taken; obtained; came; come; came back; returned; returning; came back at; dated;
date; on date; year; years; month; months; day; days; week; weeks; hour; hours; time; when; where; during; between;
until; through; throughout; ago; over; within; after; before; then; later; later on; earlier; old; aged; age; year old;
born; birth date; date of birth; each; every; an entry; entry; entries; item; items; including; includes;
include; such as; namely; respectively; both; all; well as; as well as; along with; together with; plus; additionally;
ie; eg; session; prior to; earlier than; later than; subsequent to; followed by; preceded by; preceded; precedes; predates; predated; followed; a course of; in addition; addition; furthermore; however; but; while; whereas; although; though; yet; so; thus; therefore; hence;
pill form; formulation; form; strength; extended
release; er; xr; sr; xl; solution; suspension; spray; take; taken as; his; her; him; their;
they; them; been on; adult; subject; individual; case; clinical; medical; clinically; health; care of; under; into; out;
up; off; about; beginning; began; begun; start date; starting; end; ending; ended on; first recorded; first noted; first
documented; last recorded; last measured; last checked; checked; check; most recently measured; evidence; evidence of;
details; detail; information; data; documentation; chart; file; note; notes; noted as; note that; of note;
carries; carry; carries a diagnosis of; carries the diagnosis of; set; set at; equal to; equals; equal; namely; i e; e g;
same; her own; reached; reading of; of about; identified; identified as; established on; classified as;
consistent with the record; made; made on; for the; coded; coded as; described; described as; called; named; known as;
overall; order; ordered; orders; authored; written; issued; signed; collected; sampled; drawn; sample; specimen; dating;
dating back to; back to; goes back to; until now; range; reference; reference range; interval; limit; limits; upper; lower;
upper limit; lower limit; reference limit; upper reference limit; lower reference limit; of the; across; upon; via; using; route; frequency; schedule; regimen; prescribing; prescriber;
reaction; reactions; manifestation; manifested; manifesting; manifested as; presenting as; severity; criticality; outcome;
type; kind; category; class; group; number; numbers; quantity; amount; amounts; unit; units; percent; mm hg; point; points;
out of; x; vs; versus; compared with; compared to; relative to; against; than; same as; does; do; did; can; could; be seen;
recent; recently; already; just; only recorded; there has been; there have been; he; she; in total; in all;
came to; amounted to; stage; grade; birth; birthday; name; named; identifier; whom; what; how; here; a total of; mr; mrs;
ms; dr; its value; equivalent to; equivalent; corresponds to; corresponding to; this patient; our patient; administration;
occurred; occurring; occurrence; happened; took place; place; developed; develop; experienced; experiences; experiencing;
sustained; sustaining; suffered; affected; affected by; involving; involves; affecting; contracted; had; exhibited;
monitoring; monitored; assessed; assessment; evaluated; evaluation; rated; recorded at; verified; obtaining; read;
lasting; lasted; duration; spanning; span; period; taken on; daily dose; per; a per; s; at the; on the; therapy;
substance; product; agent; agents; inhaler device; form of; tobacco use status; smoking; service; services; facility;
given as; comes; stood; sits; sits at; sat at; running; runs; ran; logged; entered; put; registered; appears; appear;
appeared; contains; hold; holds; states; stated; stating; say; says; said; indicates; indicated; indicate; indicating;
reveals; revealed; revealing; demonstrated; demonstrates; demonstrating; confirms; gave; gives; give; yields; yielded;
yielding; reviewed; review; remains listed; still listed; for; as at; as of; dosage form; mouth; once; calculated;
estimated; predicted; approximate; exact; exactly; precisely; namely; bmi value; reported as; finding; findings; situation;
event; events; episode; episodes; visit date; dates; dated to; dates back to; dates from; whose; upward of; per cent; symptoms; symptom; last visit date; latterly; review date; noted to be; found to be; found to have; known to have; reading was; level of; a level of; a value of; a reading of
"""

NEUTRAL_ZH = """
较前; 较上次; 较前次; 较既往; 比前; 比上次; 较之前; 较以前; 较基线; 较入院时; 口服液; 口服溶液; 液; 含; 含有; 迄今; 至今; 高达; 达到; 占; 提及; 提到; 述; 复; 关于; 至于; 方面; 实测; 结果示; 结果提示; 患者; 病人; 早于; 晚于; 先于; 疗程; 开单; 已开单; 开单日期; 包括有; 该; 其; 于; 在; 的; 为; 是; 有; 曾; 曾经; 及; 和; 与; 以及; 并; 并且; 均; 测得; 测量; 测定; 检测; 检验; 化验; 结果; 显示; 示; 记录; 值; 水平;
数值; 了; 过; 已; 即; 者; 中; 后; 前; 时; 起; 至; 到; 从; 由; 或; 等; 等等; 也; 还; 又; 同时; 另; 另有; 其中; 此外; 且; 对; 每次; 一次; 次; 岁; 年; 月; 日;
天; 周; 小时; 分; 个; 项; 种; 位; 名; 例; 史; 病史; 既往; 既往史; 既往有; 有既往; 病历; 档案; 记载; 据; 根据; 资料; 报告; 所示; 可见; 提示有; 被; 进; 以; 之; 间;
期间; 内; 上; 下; 为止; 截至; 处; 处于; 达; 达到; 约为; 计; 共; 共有; 总计; 合计; 累计; 单位; 支; 瓶; 袋; 缓释; 粒; 溶液; 混悬液;
方式; 途径; 频率; 频次; 类型; 分期; 期; 级; 型; 程度; 反应; 表现; 表现为; 出现; 出现过; 发生; 发生过; 发生于; 症状; 状态; 状况; 情况; 身体; 血清; 血; 血液; 实验室; 生命体征;
体征; 指标; 参考; 参考范围; 范围; 上限; 下限; 参考值; 标准; 复查; 复测; 再次; 再; 随后; 之后; 此后; 之前; 以前; 过去; 前次; 上次; 本次; 此次; 当时; 当日; 今; 现为; 现在;
记录到; 记录为; 记录于; 记录有; 登记; 列有; 列出; 列为; 名单; 列表; 清单; 包括; 包含; 分别; 分别为; 各; 各为; 比; 较; 相比; 与前相比; 相当于; 等于; 每; 日期; 时间; 年龄; 出生; 出生于;
生于; 生日; 性别; 姓名; 本; 此; 这; 那; 这位; 那位; 一名; 一位; 名为; 称; 叫; 系; 属; 属于; 归; 我; 他; 它; 们; 他的; 所; 用; 使用; 口; 服; 开始; 始于; 始; 已有; 达成; 有着; 带有; 伴;
评分; 得分; 分数; 评估; 评估为; 检出; 测; 查; 查得; 获得; 得; 出; 呈; 显; 说明; 表明; 证实有; 记; 载; 录; 处方于; 处方日期; 开始于; 开始日期; 结束日期; 诊断日期; 诊断于; 就是; 当中; 里; 里面; 来;
去; 去年; 一种; 一项; 一个; 一例; 一份; 成人; 发作; 存; 存有; 且有; 而; 但; 但是; 然而; 虽; 虽然; 因此; 所以; 则; 若; 病例; 临床; 医学; 病情; 病程; 持续了; 历时; 长达; 余; 多; 浓度; 血药浓度; 药物浓度; 主因; 主诉; 查体; 示值; 结果为; 现服用者; 年来; 长期
"""

FAMILY_CODES = {
    "MTH": "mother", "NMTH": "mother", "FTH": "father", "NFTH": "father", "BRO": "brother", "NBRO": "brother",
    "SIS": "sister", "NSIS": "sister", "SON": "son", "NCHILD": "child", "DAU": "daughter", "GRPRN": "grand",
    "GRMTH": "grand", "GRFTH": "grand", "MGRMTH": "grand", "PGRMTH": "grand", "MGRFTH": "grand", "PGRFTH": "grand",
    "AUNT": "aunt", "UNCLE": "aunt", "COUSN": "aunt", "SIB": "sibling", "NSIB": "sibling", "PRN": "parent",
    "SPS": "spouse", "WIFE": "spouse", "HUSB": "spouse", "FAMMEMB": "family",
}  # fmt: skip

QUALIFIERS = """
acute: acute; acutely | 急性
chronic: chronic; chronically | 慢性
recurrent: recurrent; recurring | 复发性; 反复; 复发
mild: mild; mildly | 轻度; 轻
moderate: moderate; moderately | 中度
severe: severe; severely | 重度; 严重; 重症
primary: primary | 原发性; 原发
secondary: secondary | 继发性; 继发
persistent: persistent | 持续性
stable_q: unstable | 不稳定
negative: negative; not detected; undetected; non reactive | 阴性; 未检出
positive: positive; detected; reactive | 阳性; 检出
malignant: malignant | 恶性
benign: benign | 良性
her2: her2; her2 receptor; human epidermal growth factor receptor 2; human epidermal growth factor receptor 2 gene | HER2; 人表皮生长因子受体2
progesterone_r: progesterone receptor; pr; progesterone receptor ag | 孕激素受体; PR
rca: right coronary artery; rca; right coronary | 右冠状动脉; 右冠
lad: left anterior descending artery; left anterior descending; lad; left anterior descending coronary artery | 左前降支; 前降支
lcx: left circumflex artery; circumflex artery; left circumflex; lcx | 左回旋支; 回旋支
deceased: deceased; died; dead; death; passed away | 死亡; 去世; 已故; 病故
urine: urine; urinary | 尿; 尿液
calf: calf; calves | 小腿
at_home: home | 家中; 家里; 在家; 在家中; 在家里
fall: accidental fall; mechanical fall | 跌倒; 摔倒; 跌伤; 摔伤
before_breakfast: before breakfast | 早餐前; 早饭前; 每日早餐前; 每日早餐前1次; 每日早餐前一次; 早餐前1次; 每晨早餐前; 每晨早餐前1次; 每晨早餐前一次; 每天早餐前; 每天早餐前1次; 每日1次早餐前
after_breakfast: after breakfast | 早餐后; 早饭后; 每日早餐后; 早餐后1次; 早餐后一次
around_lunch: before lunch; after lunch; with lunch | 午餐前; 午餐后; 午饭前; 午饭后
before_dinner: before dinner; before supper; before the evening meal | 晚餐前; 晚饭前
after_dinner: after dinner; after supper; after the evening meal | 晚餐后; 晚饭后
before_meals: before meals; before each meal; before food; on an empty stomach | 餐前; 饭前; 三餐前; 空腹服用
room_air: on air; without oxygen; without supplemental oxygen; off oxygen; no supplemental oxygen; not on oxygen; room air; breathing room air; ra; on ra; without supplementary oxygen; no supplementary oxygen; ambient air | 未吸氧; 吸空气; 空气下
nka: no known allergies; no known allergy; no allergies known; nka; no known allergies to medication; allergies are not known; no known food or drug allergies; no known drug or food allergies; no food or drug allergies; no drug or food allergies; none known; nil known; no known drug or food allergy; no allergies; no allergies recorded; none recorded; no documented allergies; allergies: none known; allergies: none; allergies: nil; allergies: nil known; allergies: nka; allergies: none recorded; allergy: none | 否认食物及药物过敏史; 否认食物、药物过敏史; 否认药物及食物过敏史; 否认药物、食物过敏史; 否认食物药物过敏史; 否认药物食物过敏史; 无食物及药物过敏史; 无药物及食物过敏史; 无药物、食物过敏史; 无食物、药物过敏史; 无已知过敏; 无过敏史; 未发现过敏; 无已知过敏史; 否认过敏史; 无任何已知过敏; 没有已知过敏; 无过敏; 无明确过敏史; 无药物或食物过敏; 过敏史: 无; 过敏: 无; 过敏史: 无特殊; 过敏史: 无已知过敏 => nkda
nkda: no known drug allergies; nkda; no known medication allergies; no known drug allergy; allergies: nkda | 无已知药物过敏; 无药物过敏史; 否认药物过敏史; 无已知药物过敏史; 药物过敏史: 无; 药物过敏: 无
high_criticality: high criticality; criticality high; high risk; high risk allergy | 高危; 高危险性; 严重程度高; 高风险
low_criticality: low criticality; criticality low; low risk | 低危; 低危险性; 低风险
"""
