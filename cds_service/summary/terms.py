"""Clinical terms and their synonyms in English and Chinese, so that a sentence may name a thing as clinicians do.

One line a meaning: `id: English; English | Chinese; Chinese => what it implies`. A record that names the meaning supports
any of its synonyms and what it implies, never the reverse: type 2 diabetes is a diabetes, a diabetes need not be type 2.
Source: the usual clinical abbreviations and translations, written for this table; no terminology is copied.
"""

CONDITIONS = """
htn: hypertension; high blood pressure; htn; hypertensive disorder; arterial hypertension; hypertensive | 高血压; 高血压病
essential_htn: essential hypertension; primary hypertension; essential primary hypertension | 原发性高血压 => htn
diabetes: diabetes; diabetes mellitus; dm; diabetic | 糖尿病
t2dm: type 2 diabetes; type 2 diabetes mellitus; t2dm; t2d; type ii diabetes; type ii diabetes mellitus; diabetes mellitus type 2; diabetes type 2; dm2; niddm; type 2 diabetic | 2型糖尿病; 二型糖尿病; Ⅱ型糖尿病; II型糖尿病 => diabetes
t1dm: type 1 diabetes; type 1 diabetes mellitus; t1dm; t1d; diabetes mellitus type 1; type i diabetes | 1型糖尿病 => diabetes
prediabetes: prediabetes; pre diabetes; impaired glucose tolerance; prediabetic | 糖尿病前期; 糖耐量异常
ckd: chronic kidney disease; ckd; chronic renal disease; chronic renal insufficiency | 慢性肾脏病; 慢性肾病
ckd1: chronic kidney disease stage 1; ckd stage 1; stage 1 chronic kidney disease; stage 1 ckd; ckd 1; ckd g1; g1 ckd | 慢性肾脏病1期; CKD1期; 1期慢性肾脏病 => ckd
ckd2: chronic kidney disease stage 2; ckd stage 2; stage 2 chronic kidney disease; stage 2 ckd; ckd 2; ckd g2; g2 ckd | 慢性肾脏病2期; CKD2期 => ckd
ckd3: chronic kidney disease stage 3; ckd stage 3; stage 3 chronic kidney disease; stage 3 ckd; ckd 3; ckd g3; stage iii ckd | 慢性肾脏病3期; CKD3期; 3期慢性肾脏病 => ckd
ckd3a: chronic kidney disease stage 3a; ckd stage 3a; stage 3a chronic kidney disease; stage 3a ckd; ckd 3a; ckd g3a; g3a ckd; stage g3a ckd; ckd stage g3a | 慢性肾脏病3a期; CKD3a期; 慢性肾脏病G3a期; 3a期慢性肾脏病; 慢性肾脏病3A期 => ckd3
ckd3b: chronic kidney disease stage 3b; ckd stage 3b; stage 3b chronic kidney disease; stage 3b ckd; ckd 3b; ckd g3b; g3b ckd; stage g3b ckd; ckd stage g3b | 慢性肾脏病3b期; CKD3b期; 慢性肾脏病G3b期; 3b期慢性肾脏病; 慢性肾脏病3B期 => ckd3
ckd4: chronic kidney disease stage 4; ckd stage 4; stage 4 chronic kidney disease; stage 4 ckd; ckd 4; ckd g4 | 慢性肾脏病4期; CKD4期; 4期慢性肾脏病 => ckd
ckd5: chronic kidney disease stage 5; ckd stage 5; stage 5 chronic kidney disease; stage 5 ckd; ckd 5; ckd g5 | 慢性肾脏病5期; CKD5期 => ckd
esrd: end stage renal disease; end stage kidney disease; esrd; eskd; end stage renal failure | 终末期肾病; 尿毒症
dkd: diabetic kidney disease; diabetic renal disease; diabetic nephropathy; disorder of kidney due to diabetes mellitus; dkd; nephropathy due to diabetes | 糖尿病肾病 => diabetes
diab_neuro: diabetic neuropathy; neuropathy due to diabetes; diabetic peripheral neuropathy | 糖尿病神经病变; 糖尿病周围神经病变 => diabetes
t2_neuro: neuropathy due to type 2 diabetes mellitus; neuropathy due to type 2 diabetes | 2型糖尿病神经病变 => diab_neuro t2dm
diab_retino: diabetic retinopathy; retinopathy due to diabetes | 糖尿病视网膜病变 => diabetes
t2_retino: diabetic retinopathy associated with type ii diabetes mellitus; retinopathy due to type 2 diabetes | 2型糖尿病视网膜病变 => diab_retino t2dm
dialysis_dep: dependence on renal dialysis; dialysis dependence; dialysis dependent; on dialysis; on haemodialysis; dependent on dialysis; dialysis dependency; requiring dialysis; renal dialysis; on hemodialysis | 透析治疗; 血透治疗; 血液透析治疗; 维持性血液透析; 规律透析; 长期血液透析; 维持性血液透析; 透析依赖; 维持性透析 => f_dialysis
hf: heart failure; hf; cardiac failure | 心力衰竭; 心衰
chf: congestive heart failure; chf | 充血性心力衰竭; 充血性心衰 => hf
chronic_chf: chronic congestive heart failure | 慢性充血性心力衰竭; 慢性充血性心衰 => chf chronic_hf
chronic_hf: chronic heart failure | 慢性心力衰竭; 慢性心衰 => hf
hfref: heart failure with reduced ejection fraction; hfref; systolic heart failure; heart failure with a reduced ejection fraction | 射血分数降低的心力衰竭; 射血分数降低型心衰; 射血分数降低的心衰; 收缩性心力衰竭 => hf
hfpef: heart failure with preserved ejection fraction; hfpef; diastolic heart failure | 射血分数保留的心力衰竭; 射血分数保留的心衰 => hf
af: atrial fibrillation; af; afib; a fib; auricular fibrillation | 心房颤动; 房颤; 心房纤颤
persistent_af: persistent atrial fibrillation; persistent af; persistent afib | 持续性房颤; 持续性心房颤动 => af
parox_af: paroxysmal atrial fibrillation; paroxysmal af; paroxysmal afib | 阵发性房颤; 阵发性心房颤动 => af
aflutter: atrial flutter | 心房扑动; 房扑
cad: coronary artery disease; coronary heart disease; cad; chd; coronary arteriosclerosis; coronary atherosclerosis; ischemic heart disease; ischaemic heart disease; atherosclerotic heart disease; ihd; coronary disease | 冠心病; 冠状动脉粥样硬化性心脏病; 冠状动脉粥样硬化; 缺血性心脏病
mi: myocardial infarction; heart attack; mi; myocardial infarct | 心肌梗死; 心肌梗塞; 心梗
stemi: stemi; st elevation myocardial infarction; st segment elevation myocardial infarction | ST段抬高型心肌梗死 => mi
nstemi: nstemi; non st elevation myocardial infarction; non st segment elevation myocardial infarction | 非ST段抬高型心肌梗死 => mi
old_mi: old myocardial infarction; history of myocardial infarction; prior myocardial infarction; previous myocardial infarction; prior mi; old mi; previous mi; past myocardial infarction; previous heart attack; prior heart attack | 陈旧性心肌梗死; 陈旧性心梗; 既往心肌梗死 => mi
acs: acute coronary syndrome; acs | 急性冠脉综合征; 急性冠状动脉综合征
angina: angina; angina pectoris | 心绞痛
stroke: stroke; cerebrovascular accident; cva; apoplexy | 脑卒中; 中风; 脑血管意外; 卒中
tia: transient ischemic attack; transient ischaemic attack; tia; mini stroke | 短暂性脑缺血发作; TIA
card_arrest: cardiac arrest | 心脏骤停; 心跳骤停
hx_card_arrest: history of cardiac arrest | 心脏骤停史; 心脏骤停病史 => card_arrest
hlp: raised lipids; high lipids; elevated lipids; hyperlipidemia; hyperlipidaemia; dyslipidemia; dyslipidaemia; high cholesterol; hld; hypercholesterolemia; hypercholesterolaemia | 高脂血症; 血脂异常; 高血脂; 高胆固醇血症
htg: hypertriglyceridemia; hypertriglyceridaemia; high triglycerides | 高甘油三酯血症
mets: metabolic syndrome; metabolic syndrome x | 代谢综合征
obesity: obesity; obese; bmi in obese range; obesity finding | 肥胖; 肥胖症
bmi30: body mass index 30 obesity; bmi 30 obesity; body mass index 30 or more obesity | 体重指数30以上 => obesity
overweight: overweight | 超重
anemia: anemia; anaemia; anemic; anaemic | 贫血
anemia_ckd: anemia in chronic kidney disease; anemia of chronic kidney disease; renal anemia; anaemia in chronic kidney disease; anemia of ckd; anaemia of ckd; anemia in ckd | 肾性贫血; 慢性肾脏病贫血 => anemia
copd: chronic obstructive pulmonary disease; copd; chronic obstructive lung disease; chronic obstructive airway disease | 慢性阻塞性肺疾病; 慢阻肺
emphysema: pulmonary emphysema; emphysema | 肺气肿
cob: chronic obstructive bronchitis | 慢性阻塞性支气管炎
asthma: asthma; asthmatic | 哮喘; 支气管哮喘
child_asthma: childhood asthma | 儿童哮喘 => asthma
pneumonia: pneumonia | 肺炎
bronchitis: bronchitis | 支气管炎
acute_bronchitis: acute bronchitis | 急性支气管炎 => bronchitis
sinusitis: sinusitis; sinus infection | 鼻窦炎
viral_sinusitis: viral sinusitis | 病毒性鼻窦炎 => sinusitis
chronic_sinusitis: chronic sinusitis | 慢性鼻窦炎 => sinusitis
bact_sinusitis: acute bacterial sinusitis; bacterial sinusitis | 急性细菌性鼻窦炎; 细菌性鼻窦炎 => sinusitis
pharyngitis: pharyngitis; sore throat | 咽炎
viral_pharyngitis: acute viral pharyngitis; viral pharyngitis | 急性病毒性咽炎; 病毒性咽炎 => pharyngitis
strep: streptococcal sore throat; strep throat; streptococcal pharyngitis | 链球菌性咽炎; 链球菌性喉咙痛 => pharyngitis
otitis: otitis media; middle ear infection | 中耳炎
urti: upper respiratory infection; upper respiratory tract infection; uri; urti | 上呼吸道感染
uti: urinary tract infection; uti; urinary tract infectious disease; urinary infection | 泌尿系感染; 泌尿系统感染; 尿路感染; 泌尿道感染
recurrent_uti: recurrent urinary tract infection; recurrent uti; recurrent urinary tract infections; recurrent utis | 复发性尿路感染; 反复尿路感染 => uti
ecoli_uti: escherichia coli urinary tract infection; e coli urinary tract infection; e coli uti | 大肠杆菌尿路感染 => uti
sepsis: sepsis; septicemia; septic | 脓毒症; 败血症
covid: covid 19; covid; sars cov 2 infection; coronavirus disease 2019 | 新冠肺炎; 新冠感染; 新型冠状病毒感染; 新冠病毒感染
allergic_rhinitis: allergic rhinitis; hay fever; hayfever | 过敏性鼻炎; 变应性鼻炎
seasonal_ar: seasonal allergic rhinitis; seasonal hay fever | 季节性过敏性鼻炎 => allergic_rhinitis
perennial_ar: perennial allergic rhinitis | 常年性过敏性鼻炎 => allergic_rhinitis
atopic_derm: atopic dermatitis; eczema; atopic eczema | 特应性皮炎; 湿疹
psoriasis: psoriasis | 银屑病
osteoporosis: osteoporosis | 骨质疏松; 骨质疏松症
oa: osteoarthritis; oa; degenerative joint disease | 骨关节炎
knee_oa: osteoarthritis of knee; knee osteoarthritis; osteoarthritis of the knee; knee oa | 膝关节骨关节炎; 膝骨关节炎 => oa
hip_oa: osteoarthritis of hip; hip osteoarthritis; osteoarthritis of the hip; hip oa | 髋关节骨关节炎; 髋骨关节炎 => oa
hand_oa: localized primary osteoarthritis of the hand; osteoarthritis of the hand; hand osteoarthritis; osteoarthritis of hand | 手骨关节炎; 手部骨关节炎 => oa
ra: rheumatoid arthritis | 类风湿关节炎; 类风湿性关节炎
gout: gout; gouty arthritis | 痛风
alzheimer: alzheimer disease; alzheimers disease; alzheimer s disease; alzheimer; alzheimers; alzheimer s | 阿尔茨海默病; 老年痴呆 => dementia
fam_alz: familial alzheimer s disease of early onset | 早发性家族性阿尔茨海默病 => alzheimer
dementia: dementia | 痴呆
epilepsy: epilepsy; seizure disorder | 癫痫
migraine: migraine; migraines | 偏头痛
chronic_migraine: chronic intractable migraine without aura; chronic migraine | 慢性偏头痛 => migraine
depression: depression; depressive disorder; depressed | 抑郁症; 抑郁
mdd: major depression disorder; major depressive disorder; major depression; mdd | 重度抑郁症; 重性抑郁障碍 => depression
anxiety: anxiety; anxiety disorder | 焦虑; 焦虑症
adhd: child attention deficit disorder; attention deficit disorder; attention deficit hyperactivity disorder; adhd; add | 注意缺陷障碍; 注意力缺陷多动障碍; 多动症
alcoholism: alcoholism; alcohol dependence; alcohol use disorder | 酒精依赖; 酗酒
opioid_abuse: opioid abuse; opioid use disorder; opioid misuse | 阿片类药物滥用
overdose: drug overdose; overdose | 药物过量
cirrhosis: cirrhosis; liver cirrhosis; cirrhosis of liver; hepatic cirrhosis | 肝硬化
alc_cirrhosis: alcoholic cirrhosis; alcohol related cirrhosis; alcoholic liver cirrhosis | 酒精性肝硬化 => cirrhosis
ascites: ascites | 腹水
varices: esophageal varices; oesophageal varices | 食管静脉曲张
fatty_liver: steatosis of liver; fatty liver; hepatic steatosis; masld; nafld; fatty liver disease | 脂肪肝
hepatitis_b: hepatitis b; hep b | 乙型肝炎; 乙肝
appendicitis: appendicitis | 阑尾炎
hx_append: history of appendectomy; prior appendectomy; previous appendectomy | 阑尾切除史; 阑尾切除术史 => appendectomy
gerd: gastroesophageal reflux disease; gastro oesophageal reflux disease; gerd; gord; acid reflux | 胃食管反流病
colon_polyp: polyp of colon; colon polyp; colonic polyp; colon polyps; colonic polyps | 结肠息肉
rectal_polyp: rectal polyp; recurrent rectal polyp | 直肠息肉; 复发性直肠息肉
colon_ca: malignant tumor of colon; colon cancer; cancer of the colon; malignant neoplasm of colon; carcinoma of colon; colonic cancer; malignant tumour of colon | 结肠癌; 结肠恶性肿瘤
overlap_colon: overlapping malignant neoplasm of colon | 结肠重叠性恶性肿瘤 => colon_ca
pancreatic_ca: malignant tumor of pancreas; malignant neoplasm of pancreas; pancreatic cancer; cancer of the pancreas; carcinoma of pancreas; pancreatic carcinoma; malignant pancreatic tumor; pancreas cancer | 胰腺癌; 胰腺恶性肿瘤
gastric_ca: malignant tumor of stomach; malignant neoplasm of stomach; gastric cancer; cancer of the stomach; carcinoma of stomach; gastric carcinoma; malignant gastric tumor; stomach cancer | 胃癌; 胃恶性肿瘤
esophageal_ca: malignant tumor of esophagus; malignant neoplasm of esophagus; esophageal cancer; cancer of the esophagus; carcinoma of esophagus; esophageal carcinoma; malignant esophageal tumor; esophagus cancer | 食管癌; 食管恶性肿瘤
ovarian_ca: malignant tumor of ovary; malignant neoplasm of ovary; ovarian cancer; cancer of the ovary; carcinoma of ovary; ovarian carcinoma; malignant ovarian tumor; ovary cancer | 卵巢癌; 卵巢恶性肿瘤
renal_ca: malignant tumor of kidney; malignant neoplasm of kidney; renal cancer; cancer of the kidney; carcinoma of kidney; renal carcinoma; malignant renal tumor; kidney cancer | 肾癌; 肾恶性肿瘤
bladder_ca: malignant tumor of bladder; malignant neoplasm of bladder; bladder cancer; cancer of the bladder; carcinoma of bladder; bladder carcinoma; malignant bladder tumor | 膀胱癌; 膀胱恶性肿瘤
cervical_ca: malignant tumor of uterine cervix; malignant neoplasm of uterine cervix; cervical cancer; cancer of the uterine cervix; carcinoma of uterine cervix; cervical carcinoma; malignant cervical tumor; uterine cervix cancer | 宫颈癌; 宫颈恶性肿瘤
endometrial_ca: malignant tumor of endometrium; malignant neoplasm of endometrium; endometrial cancer; cancer of the endometrium; carcinoma of endometrium; endometrial carcinoma; malignant endometrial tumor; endometrium cancer | 子宫内膜癌; 子宫内膜恶性肿瘤
thyroid_ca: malignant tumor of thyroid gland; malignant neoplasm of thyroid gland; thyroid cancer; cancer of the thyroid gland; carcinoma of thyroid gland; thyroid carcinoma; malignant thyroid tumor; thyroid gland cancer | 甲状腺癌; 甲状腺恶性肿瘤
rectal_ca: malignant tumor of rectum; malignant neoplasm of rectum; rectal cancer; cancer of the rectum; carcinoma of rectum; rectal carcinoma; malignant rectal tumor; rectum cancer | 直肠癌; 直肠恶性肿瘤
prostate_neo: neoplasm of prostate; prostate neoplasm; prostatic neoplasm; prostate tumor; prostate tumour | 前列腺肿瘤
prostate_cis: carcinoma in situ of prostate; prostate carcinoma in situ | 前列腺原位癌
prostate_ca: prostate cancer; malignant neoplasm of prostate; cancer of the prostate | 前列腺癌
breast_ca: malignant neoplasm of breast; breast cancer; cancer of the breast; carcinoma of breast; breast carcinoma | 乳腺癌; 乳腺恶性肿瘤
idc: infiltrating duct carcinoma of breast; invasive ductal carcinoma; infiltrating ductal carcinoma; invasive ductal carcinoma of the breast; infiltrating ductal carcinoma of the breast | 乳腺浸润性导管癌; 浸润性导管癌 => breast_ca
lung_ca: lung cancer; cancer of the lung; malignant neoplasm of lung; lung carcinoma; bronchogenic carcinoma | 肺癌
nsclc: non small cell lung cancer; nsclc; non small cell carcinoma of lung; non small cell lung carcinoma | 非小细胞肺癌 => lung_ca
sclc: small cell carcinoma of lung; small cell lung cancer; sclc; primary small cell malignant neoplasm of lung | 小细胞肺癌 => lung_ca
liver_mets: secondary malignant neoplasm of liver; liver metastases; liver metastasis; metastasis to liver; hepatic metastases; metastases to the liver; hepatic metastasis; metastatic disease to the liver | 肝转移; 肝转移癌; 肝脏转移; 肝继发恶性肿瘤 => metastatic
bone_mets: secondary malignant neoplasm of bone; bone metastases; bone metastasis; metastasis to bone; metastases to bone; osseous metastases | 骨转移; 骨转移癌 => metastatic
ln_mets: secondary malignant neoplasm of axillary lymph nodes; axillary lymph node metastases; axillary node metastases | 腋窝淋巴结转移 => metastatic
hypothyroid: hypothyroidism; underactive thyroid; hypothyroid | 甲状腺功能减退; 甲减; 甲状腺功能减退症
hyperthyroid: hyperthyroidism | 甲状腺功能亢进; 甲亢
hyperglycemia: hyperglycemia; hyperglycaemia; high blood sugar | 高血糖
pregnancy: normal pregnancy; pregnancy; pregnant; gravid | 妊娠; 怀孕; 正常妊娠; 孕期
miscarriage: miscarriage; spontaneous abortion | 流产; 自然流产
misc1: miscarriage in first trimester; first trimester miscarriage | 早期流产; 孕早期流产; 妊娠早期流产 => miscarriage
ectopic: tubal pregnancy; ectopic pregnancy | 输卵管妊娠; 宫外孕; 异位妊娠
preeclampsia: preeclampsia; pre eclampsia | 子痫前期; 先兆子痫
concussion: concussion; concussion with no loss of consciousness | 脑震荡
whiplash: whiplash injury to neck; whiplash injury; whiplash | 颈部挥鞭伤; 挥鞭样损伤
ankle_sprain: sprain of ankle; ankle sprain; sprained ankle | 踝关节扭伤; 脚踝扭伤; 踝扭伤
wrist_sprain: sprain of wrist; wrist sprain; sprained wrist | 腕关节扭伤; 手腕扭伤; 腕扭伤
hip_fx: closed fracture of hip; hip fracture; fracture of hip; fractured hip | 髋部骨折; 闭合性髋部骨折
forearm_fx: fracture of forearm; forearm fracture | 前臂骨折
ankle_fx: fracture of ankle; ankle fracture | 踝部骨折; 踝关节骨折
wrist_fx: fracture subluxation of wrist; wrist fracture | 腕部骨折
hand_lac: laceration of hand; hand laceration | 手部裂伤; 手裂伤; 手部撕裂伤
thigh_lac: laceration of thigh; thigh laceration | 大腿裂伤; 大腿撕裂伤
forearm_lac: laceration of forearm; forearm laceration | 前臂裂伤; 前臂撕裂伤
foot_lac: laceration of foot; foot laceration | 足部裂伤; 足部撕裂伤
face_lac: facial laceration; laceration of face | 面部裂伤; 面部撕裂伤
smoker_daily: smokes tobacco daily; daily smoker; every day smoker; current every day smoker; smokes daily; smokes every day | 每日吸烟; 每天吸烟 => smoker
smoker: current smoker; smoker; smokes; smoking currently; smokes tobacco | 吸烟; 吸烟者; 目前吸烟; 现吸烟
ex_smoker: former smoker; ex smoker; past smoker; used to smoke; quit smoking; previous smoker | 已戒; 已戒烟; 既往吸烟; 曾吸烟; 已戒烟; 前吸烟者; 戒烟者; 以前吸烟
never_smoker: never smoker; never smoked tobacco; never smoked; non smoker; nonsmoker; has never smoked; lifelong non smoker; life long nonsmoker | 从不吸烟; 从未吸烟; 不吸烟; 非吸烟者; 无吸烟史
chronic_pain: chronic pain | 慢性疼痛; 慢性痛
tachycardia: tachycardia; tachycardic | 心动过速
tachypnea: tachypnea; tachypnoea; tachypneic | 呼吸急促; 呼吸过速
afebrile: afebrile; apyrexial; apyrexic | 无发热; 体温正常
bed_bound: bed ridden; bedridden; bed bound; bedbound; confined to bed | 卧床; 卧床不起
voice_only: responds to voice; rouses to voice; responding to voice; rousable to voice; voice responsive | 对声音有反应; 呼之能应
fever: fever; febrile; pyrexia; pyrexial | 发热; 发烧
cough: cough | 咳嗽
chest_pain: chest pain | 胸痛
confusion: confusion; confused; acute confusion | 意识模糊; 神志模糊; 意识不清
diarrhea: diarrhea; diarrhoea | 腹泻
palpitations: palpitations; palpitation | 心悸
syncope: syncope; fainting | 晕厥
fatigue: fatigue; tiredness | 乏力; 疲劳
abdominal_pain: abdominal pain | 腹痛
hypotension: hypotension; hypotensive | 低血压
dyspnea: dyspnea; dyspnoea; shortness of breath; short of breath; breathless; breathlessness; sob | 呼吸困难; 气短; 气促
nausea: nausea | 恶心
vomiting: vomiting; emesis | 呕吐
dizziness: dizziness; dizzy; lightheadedness | 头晕; 头昏
headache: headache; headaches | 头痛
edema: edema; oedema; swelling; swollen | 水肿; 肿胀
rash: rash; skin rash; eruption of skin | 皮疹
hives: hives; urticaria; wheal; weal | 荨麻疹; 风团
anaphylaxis: anaphylaxis; anaphylactic reaction; anaphylactic shock | 过敏性休克; 严重过敏反应; 全身性过敏反应
angioedema: angioedema; angio oedema; angioneurotic edema | 血管性水肿; 血管神经性水肿
palliative: palliative care; under care of palliative care physician; terminal care | 姑息治疗; 安宁疗护; 姑息
transplant_kidney: kidney transplant; transplant of kidney; renal transplant; kidney transplantation; renal transplantation; transplanted kidney; renal allograft | 肾移植; 肾移植术
dvt: deep vein thrombosis; deep venous thrombosis; dvt | 深静脉血栓; 深静脉血栓形成
pe: pulmonary embolism | 肺栓塞
pad: peripheral artery disease; peripheral arterial disease; peripheral vascular disease | 外周动脉疾病; 周围动脉疾病
sleep_apnea: obstructive sleep apnea; sleep apnea; osa | 睡眠呼吸暂停
aki: acute kidney injury; aki; acute renal failure | 急性肾损伤; 急性肾衰竭
bipolar: bipolar disorder; bipolar | 双相情感障碍
cancer: cancer; malignancy; malignant | 癌症; 恶性肿瘤
glaucoma: glaucoma | 青光眼
cataract: cataract; cataracts | 白内障
bph: benign prostatic hyperplasia; bph | 良性前列腺增生; 前列腺增生
molars: impacted molars; impacted molar; impacted wisdom teeth | 阻生磨牙; 阻生牙; 阻生智齿
bleeding: bleeding; hemorrhage; haemorrhage; bleed | 出血
pcos: polycystic ovary syndrome; polycystic ovarian syndrome; pcos; polycystic ovaries syndrome | 多囊卵巢综合征
hyponatremia: hyponatremia; hyponatremic | 低钠血症
hypernatremia: hypernatremia | 高钠血症
hyperkalemia: hyperkalemia; hyperkalemic | 高钾血症
hypokalemia: hypokalemia; hypokalemic | 低钾血症
neutropenia: neutropenia; neutropenic | 中性粒细胞减少; 中性粒细胞减少症
neutrophilia: neutrophilia | 中性粒细胞增多
leukocytosis: leukocytosis | 白细胞增多
leukopenia: leukopenia | 白细胞减少
lymphopenia: lymphopenia; lymphocytopenia | 淋巴细胞减少
thrombocytopenia: thrombocytopenia; thrombocytopenic | 血小板减少; 血小板减少症
thrombocytosis: thrombocytosis | 血小板增多
hypoalbuminemia: hypoalbuminemia | 低白蛋白血症
albuminuria: albuminuria; microalbuminuria | 白蛋白尿; 微量白蛋白尿
hyperuricemia: hyperuricemia | 高尿酸血症
hypocalcemia: hypocalcemia | 低钙血症
hypercalcemia: hypercalcemia | 高钙血症
hyperphosphatemia: hyperphosphatemia | 高磷血症
hypophosphatemia: hypophosphatemia | 低磷血症
hypomagnesemia: hypomagnesemia | 低镁血症
hyperbilirubinemia: hyperbilirubinemia | 高胆红素血症
hyperlactatemia: hyperlactatemia | 高乳酸血症
hypoglycemia: hypoglycemia; low blood sugar | 低血糖
azotemia: azotemia | 氮质血症
normocytic: normocytic | 正细胞性; 正细胞
microcytic: microcytic | 小细胞性; 小细胞
macrocytic: macrocytic | 大细胞性; 大细胞
resp_failure: respiratory failure | 呼吸衰竭; 呼衰
bipolar1: bipolar i disorder; bipolar 1 disorder; bipolar disorder type 1 | 双相I型障碍; 双相情感障碍I型 => bipolar
bipolar: bipolar disorder; bipolar affective disorder | 双相障碍; 双相情感障碍
schizophrenia: schizophrenia | 精神分裂症
parkinson: parkinson disease; parkinson s disease; parkinsons disease | 帕金森病
ms_disease: multiple sclerosis | 多发性硬化
crohn: crohn disease; crohn s disease; crohns disease | 克罗恩病
uc: ulcerative colitis | 溃疡性结肠炎
lupus: systemic lupus erythematosus; sle; lupus | 系统性红斑狼疮
sleep_apnea: obstructive sleep apnea; sleep apnea; osa; obstructive sleep apnea syndrome | 阻塞性睡眠呼吸暂停; 睡眠呼吸暂停
insomnia: insomnia | 失眠
constipation: constipation | 便秘
glaucoma: glaucoma | 青光眼
kidney_stone: kidney stone; renal calculus; nephrolithiasis; kidney stones | 肾结石
gallstones: gallstones; cholelithiasis; gallstone | 胆结石
pancreatitis: pancreatitis | 胰腺炎
hepatitis_c: hepatitis c; hep c | 丙型肝炎; 丙肝
hiv: hiv infection; human immunodeficiency virus infection | HIV感染
tb: tuberculosis | 结核病; 结核
infertility: infertility | 不孕症; 不孕
endometriosis: endometriosis | 子宫内膜异位症
dlbcl: diffuse large b cell lymphoma; large diffuse b cell lymphoma; dlbcl | 弥漫大B细胞淋巴瘤; 弥漫性大B细胞淋巴瘤 => lymphoma
lymphoma: lymphoma | 淋巴瘤
cholangioca: cholangiocarcinoma; bile duct cancer | 胆管癌
ih_cholangioca: intrahepatic cholangiocarcinoma | 肝内胆管癌 => cholangioca
radiculopathy: radiculopathy | 神经根病
lumbar_radic: lumbar radiculopathy | 腰椎神经根病 => radiculopathy
metastatic: metastatic; metastases; metastasis; metastatic disease | 转移
"""

DRUGS = """
metformin: metformin; metformin hydrochloride; glucophage | 二甲双胍; 盐酸二甲双胍; 格华止
insulin: insulin | 胰岛素
glargine: insulin glargine; glargine; lantus; basaglar; toujeo | 甘精胰岛素; 来得时 => insulin
humulin: humulin; insulin human isophane regular insulin; insulin isophane; nph insulin; humulin 70 30 | 人胰岛素 => insulin
lispro: insulin lispro; humalog | 赖脯胰岛素 => insulin
aspart: insulin aspart; novolog | 门冬胰岛素; 诺和锐 => insulin
glipizide: glipizide | 格列吡嗪
glimepiride: glimepiride | 格列美脲
gliclazide: gliclazide | 格列齐特
sitagliptin: sitagliptin; januvia | 西格列汀; 捷诺维
linagliptin: linagliptin | 利格列汀
empagliflozin: empagliflozin; jardiance | 恩格列净; 欧唐静
dapagliflozin: dapagliflozin; farxiga; forxiga | 达格列净; 安达唐
canagliflozin: canagliflozin; invokana | 卡格列净
semaglutide: semaglutide; ozempic; wegovy; rybelsus | 司美格鲁肽
liraglutide: liraglutide; victoza | 利拉鲁肽
dulaglutide: dulaglutide; trulicity | 度拉糖肽
tirzepatide: tirzepatide; mounjaro | 替尔泊肽
lisinopril: lisinopril; zestril; prinivil | 赖诺普利
enalapril: enalapril | 依那普利
ramipril: ramipril | 雷米普利
perindopril: perindopril | 培哚普利; 雅施达
captopril: captopril | 卡托普利; 开博通
benazepril: benazepril | 贝那普利; 洛丁新
losartan: losartan; losartan potassium; cozaar | 氯沙坦; 氯沙坦钾; 科素亚
valsartan: valsartan; diovan | 缬沙坦; 代文
irbesartan: irbesartan | 厄贝沙坦; 安博维
candesartan: candesartan | 坎地沙坦
olmesartan: olmesartan | 奥美沙坦
telmisartan: telmisartan | 替米沙坦; 美卡素
entresto: sacubitril valsartan; entresto; sacubitril and valsartan | 沙库巴曲缬沙坦; 诺欣妥; 诺欣妥
amlodipine: amlodipine; norvasc; amlodipine besylate | 氨氯地平; 苯磺酸氨氯地平; 络活喜
nifedipine: nifedipine | 硝苯地平; 拜新同
diltiazem: diltiazem | 地尔硫卓
verapamil: verapamil; verapamil hydrochloride | 维拉帕米; 盐酸维拉帕米
metoprolol: metoprolol | 美托洛尔; 倍他乐克
metoprolol_succ: metoprolol succinate; toprol; toprol xl | 琥珀酸美托洛尔 => metoprolol
metoprolol_tart: metoprolol tartrate; lopressor | 酒石酸美托洛尔 => metoprolol
atenolol: atenolol | 阿替洛尔
bisoprolol: bisoprolol | 比索洛尔; 康忻
carvedilol: carvedilol; coreg | 卡维地洛
propranolol: propranolol; inderal | 普萘洛尔
hctz: hydrochlorothiazide; hctz | 氢氯噻嗪; 双氢克尿噻
chlorthalidone: chlorthalidone | 氯噻酮
indapamide: indapamide | 吲达帕胺
furosemide: furosemide; frusemide; lasix | 呋塞米; 速尿
torsemide: torsemide; torasemide | 托拉塞米
bumetanide: bumetanide | 布美他尼
spironolactone: spironolactone; aldactone | 螺内酯
eplerenone: eplerenone | 依普利酮
digoxin: digoxin; lanoxin | 地高辛
nitroglycerin: nitroglycerin; glyceryl trinitrate; nitroglycerine; gtn; ntg; glyceryl trinitrate spray | 硝酸甘油
atorvastatin: atorvastatin; lipitor; atorvastatin calcium | 阿托伐他汀; 立普妥; 阿托伐他汀钙
simvastatin: simvastatin; simvistatin; zocor | 辛伐他汀; 舒降之
rosuvastatin: rosuvastatin; crestor | 瑞舒伐他汀; 可定
pravastatin: pravastatin | 普伐他汀
ezetimibe: ezetimibe | 依折麦布
warfarin: warfarin; warfarin sodium; coumadin | 华法林; 华法林钠
apixaban: apixaban; eliquis | 阿哌沙班; 艾乐妥
rivaroxaban: rivaroxaban; xarelto | 利伐沙班; 拜瑞妥
dabigatran: dabigatran; pradaxa | 达比加群; 泰毕全
edoxaban: edoxaban | 艾多沙班
enoxaparin: enoxaparin; lovenox; clexane | 依诺肝素
heparin: heparin; ufh; unfractionated heparin | 肝素
aspirin: aspirin; acetylsalicylic acid; asa | 阿司匹林; 拜阿司匹灵; 阿司匹林肠溶片
clopidogrel: clopidogrel; plavix | 氯吡格雷; 波立维
ticagrelor: ticagrelor; brilinta | 替格瑞洛; 倍林达
prasugrel: prasugrel | 普拉格雷
alteplase: alteplase; tpa | 阿替普酶
ibuprofen: ibuprofen; advil; motrin | 布洛芬; 芬必得
naproxen: naproxen; naproxen sodium; aleve | 萘普生; 萘普生钠
celecoxib: celecoxib; celebrex | 塞来昔布
diclofenac: diclofenac | 双氯芬酸
low_aspirin: low dose aspirin; baby aspirin | 小剂量阿司匹林; 低剂量阿司匹林 => aspirin
acetaminophen: acetaminophen; paracetamol; tylenol; apap | 对乙酰氨基酚; 扑热息痛; 泰诺林
codeine: codeine; codeine phosphate | 可待因
oxycodone: oxycodone; oxycodone hydrochloride; oxycontin | 羟考酮
hydrocodone: hydrocodone; hydrocodone bitartrate | 氢可酮
vicodin: vicodin | 维柯丁
morphine: morphine; ms contin | 吗啡
tramadol: tramadol | 曲马多
meperidine: meperidine; meperidine hydrochloride; pethidine; demerol | 哌替啶
fentanyl: fentanyl | 芬太尼
gabapentin: gabapentin; neurontin | 加巴喷丁
pregabalin: pregabalin | 普瑞巴林
baclofen: baclofen | 巴氯芬
amoxicillin: amoxicillin | 阿莫西林
augmentin: amoxicillin clavulanate; augmentin; co amoxiclav; amoxicillin and clavulanate; amoxicillin clavulanic acid | 阿莫西林克拉维酸; 阿莫西林克拉维酸钾 => amoxicillin
penicillin: penicillin; penicillins; pcn | 青霉素
pen_v: penicillin v; penicillin v potassium | 青霉素V; 青霉素V钾 => penicillin
pen_g: penicillin g; benzylpenicillin | 青霉素G => penicillin
ampicillin: ampicillin | 氨苄西林
ceftriaxone: ceftriaxone | 头孢曲松; 罗氏芬
cephalosporin: cephalosporin; cephalosporins | 头孢菌素; 头孢
azithromycin: azithromycin | 阿奇霉素
doxycycline: doxycycline | 多西环素; 强力霉素
nitrofurantoin: nitrofurantoin | 呋喃妥因
ciprofloxacin: ciprofloxacin | 环丙沙星
levofloxacin: levofloxacin | 左氧氟沙星
vancomycin: vancomycin | 万古霉素
metronidazole: metronidazole | 甲硝唑
sulfonamide: sulfonamide; sulfonamides; sulfa; sulfonamide antibiotic; sulfonamide antibiotics; sulfa drug; sulfa drugs; sulphonamide | 磺胺; 磺胺类; 磺胺类药物; 磺胺药
phenazopyridine: phenazopyridine; phenazopyridine hydrochloride | 非那吡啶
loratadine: loratadine; claritin | 氯雷他定
cetirizine: cetirizine; cetirizine hydrochloride; zyrtec | 西替利嗪
fexofenadine: fexofenadine; fexofenadine hydrochloride; allegra | 非索非那定
diphenhydramine: diphenhydramine; diphenhydramine hydrochloride; benadryl | 苯海拉明
chlorpheniramine: chlorpheniramine; chlorpheniramine maleate | 氯苯那敏; 扑尔敏
astemizole: astemizole | 阿司咪唑
dextromethorphan: dextromethorphan; dextromethorphan hydrobromide | 右美沙芬
epinephrine: epinephrine; adrenaline; epipen | 肾上腺素
albuterol: albuterol; salbutamol; ventolin; proair | 沙丁胺醇; 万托林
fluticasone: fluticasone; fluticasone propionate; flovent | 氟替卡松; 丙酸氟替卡松
salmeterol: salmeterol | 沙美特罗
tiotropium: tiotropium; spiriva | 噻托溴铵; 思力华
theophylline: theophylline | 茶碱
prednisone: prednisone | 泼尼松; 强的松
hydrocortisone: hydrocortisone | 氢化可的松
methotrexate: methotrexate; mtx | 甲氨蝶呤
allopurinol: allopurinol | 别嘌醇; 别嘌呤醇
colchicine: colchicine; colcrys | 秋水仙碱
alendronate: alendronic acid; alendronate; fosamax | 阿仑膦酸; 阿仑膦酸钠
levothyroxine: levothyroxine; synthroid; l thyroxine; thyroxine | 左甲状腺素; 优甲乐; 左甲状腺素钠
iron: ferrous sulfate; iron sulfate; ferrous sulphate | 硫酸亚铁
b12: vitamin b 12; vitamin b12; cyanocobalamin; cobalamin | 维生素B12
folic: folic acid | 叶酸
prenatal_vit: prenatal vitamin; prenatal vitamins; prenatal vitamin with folic acid | 产前维生素; 孕期维生素; 孕妇维生素; 孕期复合维生素
donepezil: donepezil; donepezil hydrochloride; aricept | 多奈哌齐; 盐酸多奈哌齐; 安理申
memantine: memantine; memantine hydrochloride; namenda | 美金刚; 盐酸美金刚
galantamine: galantamine | 加兰他敏
fluoxetine: fluoxetine; prozac | 氟西汀; 百忧解
sertraline: sertraline; zoloft | 舍曲林; 左洛复
clonazepam: clonazepam; klonopin | 氯硝西泮
atomoxetine: atomoxetine | 托莫西汀
methylphenidate: methylphenidate; methylphenidate hydrochloride; ritalin | 哌甲酯
nicotine: nicotine; nicotine patch; nicotine transdermal patch | 尼古丁; 尼古丁贴片
medroxyprogesterone: medroxyprogesterone; medroxyprogesterone acetate; depo provera | 甲羟孕酮; 醋酸甲羟孕酮
etonogestrel: etonogestrel; nexplanon | 依托孕烯
levonorgestrel_iud: mirena | 曼月乐
nuvaring: nuvaring | 阴道环
oxaliplatin: oxaliplatin | 奥沙利铂
leucovorin: leucovorin; folinic acid | 亚叶酸; 亚叶酸钙
docetaxel: docetaxel | 多西他赛
paclitaxel: paclitaxel; taxol | 紫杉醇
cisplatin: cisplatin | 顺铂
etoposide: etoposide | 依托泊苷
leuprolide: leuprolide; leuprolide acetate; leuprorelin; lupron | 亮丙瑞林
letrozole: letrozole; femara | 来曲唑; 弗隆
anastrozole: anastrozole; arimidex | 阿那曲唑
fulvestrant: fulvestrant | 氟维司群
abemaciclib: abemaciclib | 阿贝西利
ribociclib: ribociclib | 瑞波西利
tacrolimus: tacrolimus | 他克莫司; 普乐可复
mycophenolate: mycophenolate; mycophenolate mofetil; cellcept; mmf | 霉酚酸酯; 吗替麦考酚酯; 骁悉
sevelamer: sevelamer | 司维拉姆
epoetin: epoetin alfa; epoetin; erythropoietin; epo | 促红细胞生成素; 重组人促红素
darbepoetin: darbepoetin alfa; darbepoetin | 达贝泊汀
lactulose: lactulose | 乳果糖
ondansetron: ondansetron; zofran | 昂丹司琼
omeprazole: omeprazole | 奥美拉唑; 洛赛克
pantoprazole: pantoprazole | 泮托拉唑
statin: statin; statins | 他汀; 他汀类药物; 他汀类
immunosuppressant: immunosuppressant; immunosuppressants; immunosuppression; immunosuppressive; immunosuppressive therapy; immunosuppressive treatment; antirejection; immunosuppressed | 免疫抑制剂; 免疫抑制; 免疫抑制药物; 抗排异; 抗排斥
steroid: steroid; steroids; corticosteroid; corticosteroids; glucocorticoid | 糖皮质激素; 激素
lipid_lowering: lipid lowering; lipid lowering therapy; lipid lowering drug | 降脂药; 降脂药物; 调脂药
antihypertensive: antihypertensive; antihypertensives; antihypertensive therapy; blood pressure lowering | 降压药; 降压药物
glucose_lowering: glucose lowering; oral hypoglycaemic; oral hypoglycemic; antidiabetic; antidiabetic medication | 降糖药; 降糖药物; 口服降糖药
loop_diuretic: loop diuretic; loop diuretics | 袢利尿剂
mra: mra; mineralocorticoid receptor antagonist; aldosterone antagonist | 醛固酮受体拮抗剂; 盐皮质激素受体拮抗剂
doac: doac; noac; direct oral anticoagulant | 新型口服抗凝药; 直接口服抗凝药; NOAC; DOAC
ppi: ppi; proton pump inhibitor | 质子泵抑制剂; PPI
aromatase_inhibitor: aromatase inhibitor | 芳香化酶抑制剂
antiemetic: antiemetic; anti emetic | 止吐药
lama: lama; long acting muscarinic antagonist | 长效抗胆碱能药
anticoagulant: anticoagulant; anticoagulated; anticoagulants; blood thinner; anticoagulation; oral anticoagulant | 抗凝药; 抗凝剂; 抗凝药物; 抗凝
antiplatelet: antiplatelet; antiplatelets | 抗血小板药; 抗血小板药物; 抗血小板
betablocker: beta blocker; beta blockers | β受体阻滞剂; β受体阻断剂; 贝塔受体阻滞剂
acei: ace inhibitor; acei; ace inhibitors | ACE抑制剂; ACEI; 血管紧张素转换酶抑制剂
arb: arb; angiotensin receptor blocker | ARB; 血管紧张素受体拮抗剂; 血管紧张素受体阻滞剂
diuretic: diuretic; diuretics; water pill; water tablet; water tablets | 利尿剂; 利尿药
nsaid: nsaid; nsaids; nonsteroidal anti inflammatory drug | 非甾体抗炎药; NSAID
sglt2i: sglt2 inhibitor; sglt2 inhibitors; sglt2i | SGLT2抑制剂
opioid: opioid; opioids; opiate | 阿片类; 阿片类药物
antibiotic: antibiotic; antibiotics; antibacterial | 抗生素; 抗菌药
phosphate_binder: phosphate binder; phosphate binders | 磷结合剂; 降磷药
esa: erythropoiesis stimulating agent; esa; esas | 促红素类药物
bronchodilator: bronchodilator; bronchodilators | 支气管扩张剂; 支气管扩张药
saba: saba; short acting beta agonist; reliever; reliever inhaler; rescue inhaler | 短效β2受体激动剂
urate_lowering: urate lowering; urate lowering therapy; urate lowering drug | 降尿酸药; 降尿酸药物; 降尿酸
thyroid_replacement: thyroid replacement; thyroid hormone replacement; thyroid hormone | 甲状腺激素; 甲状腺激素替代
dementia_drug: antidementia; cholinesterase inhibitor; acetylcholinesterase inhibitor | 抗痴呆药; 胆碱酯酶抑制剂
laxative: laxative; laxatives | 泻药; 通便药
analgesic: analgesic; analgesics; painkiller; painkillers; pain relief | 止痛药; 镇痛药
antidepressant: antidepressant; antidepressants | 抗抑郁药
antihistamine: antihistamine; antihistamines | 抗组胺药
nitrate: nitrate; nitrates | 硝酸酯类; 硝酸酯
nonselective_bb: nonselective beta blocker; non selective beta blocker; nsbb | 非选择性β受体阻滞剂
chemo_drug: chemotherapy agent; cytotoxic | 化疗药; 化疗药物
ccb: calcium channel blocker | 钙通道阻滞剂; 钙拮抗剂
"""

# What a class of medicines holds: a record of the medicine supports the class.
CLASSES = {
    "statin": "atorvastatin simvastatin rosuvastatin pravastatin",
    "anticoagulant": "warfarin apixaban rivaroxaban dabigatran edoxaban enoxaparin heparin",
    "antiplatelet": "aspirin clopidogrel ticagrelor prasugrel",
    "betablocker": "metoprolol atenolol bisoprolol carvedilol propranolol",
    "acei": "lisinopril enalapril ramipril perindopril captopril benazepril",
    "arb": "losartan valsartan irbesartan candesartan olmesartan telmisartan",
    "diuretic": "hctz chlorthalidone indapamide furosemide torsemide bumetanide spironolactone eplerenone",
    "nsaid": "ibuprofen naproxen celecoxib diclofenac",
    "sglt2i": "empagliflozin dapagliflozin canagliflozin",
    "opioid": "oxycodone hydrocodone vicodin morphine tramadol meperidine fentanyl codeine",
    "antibiotic": "amoxicillin augmentin penicillin pen_v pen_g ampicillin ceftriaxone azithromycin doxycycline "
    "nitrofurantoin ciprofloxacin levofloxacin vancomycin metronidazole",
    "inflam": "crp wbc",
    "renal_function": "creatinine egfr bun",
    "liver_function": "alt ast alp ggt bilirubin albumin",
    "electrolytes": "sodium potassium chloride bicarbonate calcium phosphate magnesium",
    "lipids": "cholesterol hdl ldl triglyceride",
    "vitals": "bp sbp dbp hr rr temp spo2",
    "blood_count": "hemoglobin hematocrit rbc wbc platelet mcv",
    "phosphate_binder": "sevelamer",
    "esa": "epoetin darbepoetin",
    "bronchodilator": "albuterol salmeterol tiotropium theophylline",
    "saba": "albuterol",
    "urate_lowering": "allopurinol",
    "thyroid_replacement": "levothyroxine",
    "dementia_drug": "donepezil galantamine",
    "laxative": "lactulose",
    "analgesic": "acetaminophen nsaid opioid",
    "antidepressant": "fluoxetine sertraline",
    "antihistamine": "loratadine cetirizine fexofenadine diphenhydramine chlorpheniramine astemizole",
    "nitrate": "nitroglycerin",
    "nonselective_bb": "propranolol carvedilol",
    "chemo_drug": "oxaliplatin docetaxel paclitaxel cisplatin etoposide",
    "immunosuppressant": "tacrolimus mycophenolate prednisone methotrexate",
    "steroid": "prednisone hydrocortisone",
    "lipid_lowering": "statin",
    "antihypertensive": "acei arb ccb betablocker hctz chlorthalidone indapamide",
    "glucose_lowering": "metformin sglt2i insulin glipizide glimepiride gliclazide sitagliptin linagliptin semaglutide "
    "liraglutide dulaglutide tirzepatide",
    "loop_diuretic": "furosemide torsemide bumetanide",
    "mra": "spironolactone eplerenone",
    "doac": "apixaban rivaroxaban dabigatran edoxaban",
    "ppi": "omeprazole pantoprazole",
    "aromatase_inhibitor": "letrozole anastrozole",
    "antiemetic": "ondansetron",
    "lama": "tiotropium",
    "ccb": "amlodipine nifedipine diltiazem verapamil",
}

MEASUREMENTS = """
oxygen_flow: oxygen flow; inhaled oxygen flow rate; oxygen flow rate; inhaled oxygen flow | 氧流量; 吸氧流量
basophil: basophils; basophil; basophils 100 leukocytes | 嗜碱性粒细胞; 嗜碱性粒细胞百分比
eosinophil: eosinophils; eosinophil; eosinophils 100 leukocytes | 嗜酸性粒细胞; 嗜酸性粒细胞百分比
monocyte: monocytes; monocyte; monocytes 100 leukocytes | 单核细胞; 单核细胞百分比
waist: waist circumference; waist | 腰围
cystatin: cystatin c | 胱抑素C
gcs: glasgow coma scale; gcs; glasgow coma score | 格拉斯哥昏迷评分; GCS评分
pao2: arterial oxygen pressure; pao2 | 动脉血氧分压
fio2: inspired oxygen; fio2; fraction of inspired oxygen | 吸入氧浓度
hba1c: glycemic control; glycaemic control; hemoglobin a1c; haemoglobin a1c; hba1c; a1c; glycated hemoglobin; glycated haemoglobin; glycosylated hemoglobin; hgba1c; hb a1c; hemoglobin a1c hemoglobin total | 血糖控制; 糖化血红蛋白; HbA1c; 糖化血红蛋白A1c
egfr: estimated glomerular filtration rate; egfr; glomerular filtration rate; gfr; glomerular filtration rate 1.73 sq m predicted; estimated gfr | 估算肾小球滤过率; 肾小球滤过率; eGFR; 估算的肾小球滤过率; 肾功能
creatinine: creatinine; serum creatinine; scr; cr; plasma creatinine | 肌酐; 血肌酐; 血清肌酐
bun: urea nitrogen; blood urea nitrogen; bun; urea; serum urea | 尿素氮; 血尿素氮; 尿素
glucose: glucose; blood glucose; blood sugar; serum glucose; plasma glucose; glucose level | 血糖; 葡萄糖; 血葡萄糖
sodium: sodium; serum sodium; na; plasma sodium | 钠; 血钠; 血清钠; 钠离子
potassium: potassium; serum potassium; k; plasma potassium | 钾; 血钾; 血清钾; 钾离子
chloride: chloride; serum chloride; cl | 氯; 血氯; 氯离子
bicarbonate: bicarbonate; carbon dioxide; total co2; hco3; serum bicarbonate; co2 | 碳酸氢根; 碳酸氢盐; 二氧化碳
calcium: calcium; serum calcium; ca | 钙; 血钙; 血清钙
phosphate: phosphate; phosphorus | 磷; 血磷; 磷酸盐
magnesium: magnesium | 镁; 血镁
albumin: albumin; serum albumin | 白蛋白; 血清白蛋白
globulin: globulin | 球蛋白
protein: protein; total protein | 总蛋白; 蛋白
bilirubin: bilirubin; total bilirubin; bilirubin total | 胆红素; 总胆红素
alp: alkaline phosphatase; alp | 碱性磷酸酶
ast: aspartate aminotransferase; ast; sgot | 天门冬氨酸氨基转移酶; 谷草转氨酶; AST; 天冬氨酸氨基转移酶
alt: alanine aminotransferase; alt; sgpt | 丙氨酸氨基转移酶; 谷丙转氨酶; ALT
ggt: gamma glutamyl transferase; ggt; gamma gt | γ-谷氨酰转移酶; 谷氨酰转移酶; γ谷氨酰转移酶; γ-谷氨酰转肽酶
cholesterol: cholesterol; total cholesterol; serum cholesterol; cholesterol in serum; tc | 总胆固醇; 胆固醇; TC
hdl: hdl; hdl cholesterol; high density lipoprotein cholesterol; high density lipoprotein; cholesterol in hdl; hdl c | 高密度脂蛋白胆固醇; 高密度脂蛋白; HDL
ldl: ldl; ldl cholesterol; low density lipoprotein cholesterol; low density lipoprotein; cholesterol in ldl; ldl c | 低密度脂蛋白胆固醇; 低密度脂蛋白; LDL; LDL-C
triglyceride: triglyceride; triglycerides; tg | 甘油三酯; 三酰甘油
hemoglobin: hemoglobin; haemoglobin; hb; hgb | 血红蛋白
hematocrit: hematocrit; haematocrit; hct | 红细胞压积; 血细胞比容
wbc: white count; wcc; white cells; leukocytes; white blood cell count; wbc; white cell count; white blood cells; white blood cell; leukocyte count; wbc count; leucocytes | 白细胞; 白细胞计数
rbc: erythrocytes; red blood cell count; rbc; red blood cells; red cell count | 红细胞; 红细胞计数
platelet: platelets; platelet count; platelet; plt | 血小板; 血小板计数
mcv: mcv; mean corpuscular volume; mean cell volume | 平均红细胞体积; MCV
mch: mch | 平均红细胞血红蛋白量
mchc: mchc | 平均红细胞血红蛋白浓度
rdw: erythrocyte distribution width; rdw; red cell distribution width | 红细胞分布宽度
lymph: lymphocytes; lymphocytes 100 leukocytes; lymphocyte percentage | 淋巴细胞百分比; 淋巴细胞
neut: neutrophils; neutrophils 100 leukocytes; neutrophil percentage | 中性粒细胞百分比; 中性粒细胞
urate: urate; uric acid | 尿酸; 血尿酸
crp: c reactive protein; crp | C反应蛋白
inr: inr; international normalized ratio; international normalised ratio | 国际标准化比值; INR
lactate: lactate; lactic acid | 乳酸
troponin: troponin | 肌钙蛋白
bnp: nt probnp; nt pro bnp; natriuretic peptide b prohormone n terminal; natriuretic peptide; bnp | NT-proBNP; 脑钠肽; N末端脑钠肽前体; N末端B型利钠肽原
psa: prostate specific ag; prostate specific antigen; psa | 前列腺特异性抗原
tsh: tsh; thyrotropin; thyroid stimulating hormone | 促甲状腺激素
uacr: albumin creatinine ratio; microalbumin creatinine ratio; albumin creatinine; uacr; urine albumin creatinine ratio; acr; albumin to creatinine ratio; urine albumin to creatinine ratio; microalbumin creatinine | 尿白蛋白肌酐比; 尿微量白蛋白肌酐比; 尿白蛋白/肌酐比值; 尿白蛋白肌酐比值; UACR
bp: blood pressure; bp; blood pressure panel with all children optional; blood pressure systolic and diastolic; blood pressure reading | 血压
sbp: systolic blood pressure; systolic pressure; systolic bp; sbp; systolic | 收缩压
dbp: diastolic blood pressure; diastolic pressure; diastolic bp; dbp; diastolic | 舒张压
pth: parathyroid hormone; pth; parathyrin intact; parathyrin; intact pth | 甲状旁腺激素; PTH
ferritin: ferritin; serum ferritin | 铁蛋白
covid_pcr: 2019 novel coronavirus pcr; sars cov 2 pcr; covid 19 pcr; covid pcr; coronavirus pcr; sars cov 2 nucleic acid assay; sars cov 2 rna | 新冠核酸; 新冠病毒核酸; 新冠PCR
ecog: ecog performance status; ecog; ecog ps; ecog score; ecog performance status score | ECOG评分; ECOG体力状态; 体力状态评分
hr: heart rate; pulse; pulse rate; hr | 心率; 脉搏
rr: respiratory rate; respiration rate; rr; breathing rate | 呼吸频率; 呼吸
temp: body temperature; temperature; oral temperature; temp; t | 体温; 口腔温度
spo2: oxygen saturation; oxygen saturations; saturations; saturating; sats; sat; spo2; oxygen saturation in arterial blood by pulse oximetry; o2 sat; o2 saturation; pulse oximetry; sao2; saturation; oxygen saturation in arterial blood | 血氧饱和度; 氧饱和度; SpO2; 经皮血氧饱和度
weight: body weight; weight; weighs; weighed; wt | 体重
height: body height; height; tall; ht | 身高
bmi: body mass index; bmi; body mass index bmi | 体重指数; BMI; 身体质量指数
lvef: left ventricular ejection fraction; ejection fraction; lvef; ef | 左室射血分数; 射血分数; LVEF; 左心室射血分数
pain: pain severity; pain severity 0 10 verbal numeric rating; pain score; pain; pain level; pain rating | 疼痛评分; 疼痛
mmse: mmse; mini mental state examination; mini mental; mmse score; total score mmse | MMSE; 简易精神状态检查; MMSE评分
smoking: tobacco smoking status; tobacco smoking status nhis; smoking status; tobacco use; smoking history; tobacco | 吸烟状况; 吸烟状态
loc: level of consciousness; consciousness; acvpu; avpu | 意识水平; 意识状态; 意识
alert: alert; fully alert; conscious; awake; mentally alert | 清醒; 意识清醒; 神志清楚; 神志清; 神清; 意识清楚; 清楚; 神志清醒
dxa: dxa t score bone density; dxa t score; bone density t score; t score; bone density; bone mineral density | T值; 骨密度; 骨密度T值
fev1fvc: fev1 fvc; fev1 fvc ratio | 一秒率; FEV1/FVC
fobt: hemoglobin gastrointestinal; fecal occult blood test; faecal occult blood; fobt; stool occult blood; fecal occult blood | 粪便隐血试验; 大便隐血; 粪便潜血
bmp: basic metabolic panel; bmp | 基础代谢检查
cbc: hemogram; complete blood count hemogram panel | 血常规; 全血细胞计数
"""

# Several measurements under one name: a result supports the name of its group.
GROUPS = """
inflam: inflammatory markers; inflammation markers | 炎症指标; 炎症标志物
renal_function: kidney function; renal function; renal function tests; kidney function tests; renal profile; renal panel; renal indices | 肾功能; 肾功; 肾功能检查
liver_function: liver function; liver function tests; lfts; lft; liver enzymes; liver tests; liver panel; transaminases; liver profile | 肝功能; 肝功; 肝酶; 转氨酶
electrolytes: electrolytes; serum electrolytes; lytes | 电解质; 血电解质
lipids: lipid panel; lipids; lipid profile; blood lipids; serum lipids | 血脂; 血脂检查; 血脂谱
vitals: vital signs; vitals; obs | 生命体征
blood_count: full blood count; complete blood count; blood count; fbc; cbc | 血常规; 血象
"""

PROCEDURES = """
colonoscopy: colonoscopy | 结肠镜; 结肠镜检查; 肠镜
appendectomy: appendectomy; appendicectomy | 阑尾切除术
cabg: coronary artery bypass grafting; coronary artery bypass graft; cabg; bypass surgery; coronary bypass | 冠状动脉旁路移植术; 冠脉搭桥; 冠状动脉搭桥术
pci: percutaneous coronary intervention; pci; coronary angioplasty | 经皮冠状动脉介入治疗; PCI; 经皮冠脉介入
stent: placement of stent in coronary artery; coronary stent; stent placement; coronary stenting; coronary artery stent | 冠状动脉支架植入术; 冠脉支架; 支架植入; 冠脉支架植入
rca_stent: placement of stent in right coronary artery; right coronary artery stent | 右冠状动脉支架植入术 => stent
cardioversion: electrical cardioversion; cardioversion; electrically cardioverted; cardioverted; dc cardioversion; dccv | 电复律; 心脏电复律
ablation: catheter ablation of tissue of heart; catheter ablation; cardiac ablation | 导管消融; 心脏导管消融; 心脏射频消融
echo: transthoracic echocardiography; echocardiogram; echocardiography; trans thoracic echocardiogram; transthoracic echocardiogram; tte; echo; cardiac ultrasound; cardiac echo | 超声心动图; 经胸超声心动图; 心脏超声; 心超; 心脏彩超; 心脏B超
cxr: chest film; chest radiography; plain chest x ray; chest x ray; cxr; chest radiograph; chest xray | 胸部X线; 胸片; 胸部X线检查; X线胸片
pacemaker: pacemaker; intro of pacemaker via vein; pacemaker implantation; cardiac pacemaker; pacemaker insertion | 起搏器; 心脏起搏器; 起搏器植入
hemodialysis: hemodialysis; haemodialysis; dialysed; dialyzed; was dialysed | 血液透析 => f_dialysis
paracentesis: abdominal paracentesis; paracentesis | 腹腔穿刺; 腹腔穿刺术
chemo: chemotherapy; chemo | 化疗; 化学治疗
chemoradio: combined chemotherapy and radiation therapy; chemoradiation; chemoradiotherapy | 放化疗; 同步放化疗
colectomy: partial resection of colon; partial colectomy; colectomy; colon resection | 部分结肠切除术; 结肠部分切除术; 结肠切除术
polypectomy: rectal polypectomy; polypectomy | 直肠息肉切除术; 息肉切除术
prostatectomy: prostatectomy | 前列腺切除术
prostate_bx: biopsy of prostate; prostate biopsy | 前列腺活检
breast_bx: biopsy of breast; breast biopsy | 乳腺活检
cesarean: cesarean section; caesarean section; c section; cesarean delivery; delivered by cesarean section; delivered by caesarean section; cesarean; lscs | 剖宫产; 剖腹产
mammogram: screening mammography; mammogram; mammography | 乳腺钼靶; 乳腺X线摄影; 乳房X线检查
spirometry: spirometry; measurement of respiratory function; lung function test; pulmonary function test | 肺功能检查; 肺功能测定
bone_scan: bone density scan; dexa; bone densitometry scan; dxa scan; dexa scan; bone densitometry | 骨密度检查; 骨密度扫描
suture: suture open wound; wound suture; suturing of wound; suture of open wound; sutured wound | 缝合伤口; 伤口缝合; 开放性伤口缝合
medrec: medication reconciliation; documentation of current medications | 药物核对; 用药核对; 当前用药记录
throat_culture: throat culture | 咽拭子培养; 咽喉培养
vasectomy: vasectomy | 输精管结扎; 输精管切除术
tubal: bilateral tubal ligation; tubal ligation | 双侧输卵管结扎; 输卵管结扎
thrombectomy: thrombectomy; percutaneous mechanical thrombectomy | 血栓切除术; 取栓术
bronchoscopy: bronchoscopy; diagnostic fiberoptic bronchoscopy | 支气管镜; 支气管镜检查
pulm_rehab: pulmonary rehabilitation | 肺康复
knee_repl: knee replacement; total knee arthroplasty | 膝关节置换; 膝关节置换术
hip_repl: hip replacement; total hip arthroplasty | 髋关节置换; 髋关节置换术
flu_vax: flu jab; influenza seasonal injectable preservative free; influenza vaccine; flu shot; flu vaccine; influenza; influenza vaccination; influenza immunization; flu vaccination; seasonal influenza vaccine; seasonal flu shot; influenza immunisation; seasonal influenza; flu | 流感疫苗; 流感; 季节性流感疫苗
covid_vax: covid 19 vaccine; covid vaccine; pfizer covid 19 vaccine; covid 19 vaccination | 新冠疫苗; 新冠病毒疫苗; 新型冠状病毒疫苗
td_vax: td; td adult preservative free; tetanus diphtheria; tetanus and diphtheria; td vaccine; td booster; tetanus diphtheria booster; tetanus and diphtheria booster; tetanus booster | 破伤风白喉疫苗; Td疫苗; 白破疫苗
tdap_vax: tdap; tdap vaccine | Tdap疫苗; 百白破加强疫苗
dtap_vax: dtap; dtap vaccine | 百白破疫苗; DTaP疫苗
pcv13: pneumococcal conjugate pcv 13; pcv13; pneumococcal conjugate vaccine 13; pcv 13; prevnar 13 | 13价肺炎球菌结合疫苗; PCV13 => pneumo_vax
pcv20: pneumococcal conjugate vaccine 20 valent pcv20; pcv20; pcv 20; pneumococcal conjugate vaccine 20 valent | 20价肺炎球菌结合疫苗 => pneumo_vax
ppsv23: pneumococcal polysaccharide vaccine 23 valent; ppsv23; pneumococcal polysaccharide vaccine; pneumovax; pneumovax 23 | 23价肺炎球菌多糖疫苗 => pneumo_vax
pneumo_vax: pneumococcal vaccine; pneumococcal vaccination; pneumococcal; pneumonia vaccine | 肺炎球菌疫苗; 肺炎疫苗
zoster_vax: zoster; zoster vaccine; shingles vaccine; shingles vaccination; zoster recombinant; shingrix; zostavax | 带状疱疹疫苗
mmr_vax: mmr; mmr vaccine; measles mumps and rubella; measles mumps rubella vaccine | 麻腮风疫苗; 麻疹腮腺炎风疹疫苗
varicella_vax: varicella; varicella vaccine; chickenpox vaccine | 水痘疫苗
hepb_vax: hep b adult; hep b; hepatitis b vaccine; hep b adolescent or pediatric; hepatitis b vaccination | 乙肝疫苗
hepa_vax: hep a adult; hep a; hepatitis a vaccine; hepatitis a; hep a ped adol 2 dose | 甲肝疫苗
hpv_vax: hpv; hpv quadrivalent; hpv vaccine; human papillomavirus vaccine | HPV疫苗; 人乳头瘤病毒疫苗
ipv_vax: ipv; polio vaccine; inactivated polio vaccine | 脊髓灰质炎疫苗; 脊灰疫苗
hib_vax: hib prp omp; hib; hib vaccine | Hib疫苗; b型流感嗜血杆菌疫苗
rota_vax: rotavirus monovalent; rotavirus; rotavirus vaccine | 轮状病毒疫苗
mcv_vax: meningococcal mcv4p; meningococcal; meningococcal vaccine; mcv4 | 脑膜炎球菌疫苗; 流脑疫苗
checkup: encounter for check up; check up; checkup; general examination of patient; encounter for check up procedure; general check up; routine check up; routine examination; routine review; routine visit | 体检; 健康检查; 常规体检; 常规检查; 例行检查; 例行体检; 健康体检
er: ed; a&e; accident and emergency; emergency room admission; emergency encounter; emergency room; emergency hospital admission; emergency department; ed visit; er visit; emergency room visit; emergency visit; emergency; emergency department visit; emergency admission; the er; an er; emergently admitted; admitted as an emergency; emergency room attendance; emergency care | 急诊; 急诊科; 急诊就诊; 急诊入院; 急诊室
inpatient: inpatient; inpatient stay; encounter inpatient; hospital admission; hospitalized; hospitalised; hospitalization; hospitalisation; hospital stay; inpatient encounter; inpatient admission; hospitalizations; hospitalisations; hospital admissions; inpatient admission | 住院; 收住院; 收入院; 收治入院; 急诊收住院; 急诊收入院; 住院治疗
ambulatory: ambulatory; outpatient; outpatient visit; outpatient encounter; ambulatory visit; office visit; clinic visit | 门诊; 门诊就诊
dnr: do not resuscitate; dnr; dnar; no cpr; not for resuscitation | 不进行心肺复苏; 放弃抢救; 拒绝心肺复苏; 不复苏; DNR
full_code: full code; for full resuscitation | 全力抢救; 完全复苏
peanut: peanut; peanuts | 花生
nut: nut; nuts; tree nut; tree nuts | 坚果
dust_mite: house dust mite; dust mite; dust mites; house dust mites | 尘螨; 屋尘螨
mould: mould; mold | 霉菌
grass: grass pollen; grass | 草花粉
treepollen: tree pollen | 树花粉
dander: animal dander; dander animal; dander; pet dander | 动物皮屑; 皮屑
bee: bee venom; bee sting; bee stings; honey bee | 蜂毒
fish: fish | 鱼; 鱼类
shellfish: shellfish | 贝类; 甲壳类
egg: egg; eggs | 鸡蛋; 蛋类
dairy: dairy; dairy product; dairy products; milk | 乳制品; 牛奶
soya: soya; soy; soybean | 大豆
wheat: wheat | 小麦
latex: latex | 乳胶
pollen: pollen | 花粉
"""
