"""Words of one family: parts of the body, kinds of harm and of acts, by which names are put together.

`Malignant neoplasm of kidney`, `renal cancer` and 肾癌 share their parts; a name that no table holds whole is compared
part by part, all within one name of the record. One line a family: `id: English; English | Chinese; Chinese`.
"""

FAMILIES = """
f_kidney: kidney; renal; nephro | 肾; 肾脏; 肾性
f_liver: liver; hepatic | 肝; 肝脏; 肝性
f_heart: heart; cardiac | 心; 心脏; 心源性
f_lung: lung; pulmonary | 肺; 肺部; 肺脏
f_respiratory: respiratory | 呼吸; 呼吸道
f_stomach: stomach; gastric | 胃
f_bowel: bowel; intestine; intestinal; gut | 肠; 肠道
f_colon: colon; colonic | 结肠
f_rectum: rectum; rectal | 直肠
f_esophagus: esophagus; esophageal | 食管; 食道
f_pancreas: pancreas; pancreatic | 胰腺; 胰
f_gallbladder: gallbladder | 胆囊
f_bileduct: bile duct; biliary | 胆管; 胆道
f_spleen: spleen; splenic | 脾; 脾脏
f_bladder: urinary bladder; bladder; vesical | 膀胱
f_urinary: urinary tract; urinary | 泌尿; 泌尿道; 尿路; 泌尿系
f_ureter: ureter; ureteral; ureteric | 输尿管
f_prostate: prostate; prostatic | 前列腺
f_uterus: uterus; uterine | 子宫
f_cervix: uterine cervix; cervix | 宫颈
f_ovary: ovary; ovarian | 卵巢
f_breast: breast; mammary | 乳房; 乳腺
f_thyroid: thyroid gland; thyroid | 甲状腺
f_adrenal: adrenal gland; adrenal | 肾上腺
f_pituitary: pituitary gland; pituitary | 垂体
f_brain: brain; cerebral | 脑; 大脑; 颅脑
f_cranial: intracranial; cranial; skull | 颅内; 颅; 颅骨
f_nerve: nerve; neural; neuropathic | 神经
f_spine: spine; spinal; vertebral; vertebra | 脊柱; 脊椎; 椎体
f_lumbar: lumbar | 腰; 腰椎
f_neck: neck; cervical | 颈; 颈部; 颈椎
f_back: back | 背; 背部
f_chest: chest; thoracic; thorax | 胸; 胸部; 胸腔
f_abdomen: abdomen; abdominal | 腹; 腹部; 腹腔
f_pelvis: pelvis; pelvic | 盆腔; 骨盆
f_head: head | 头; 头部
f_face: face; facial | 面; 面部
f_eye: eye; ocular; ophthalmic | 眼; 眼部
f_ear: ear; aural | 耳; 耳部
f_nose: nose; nasal | 鼻
f_mouth: mouth; oral cavity | 口腔
f_throat: throat; pharyngeal; pharynx | 咽; 咽喉; 咽部
f_tooth: tooth; teeth; dental; molar | 牙; 牙齿; 磨牙; 智齿
f_shoulder: shoulder | 肩; 肩部; 肩关节
f_arm: arm; upper arm | 上臂; 手臂
f_elbow: elbow | 肘; 肘部; 肘关节
f_forearm: forearm | 前臂
f_wrist: wrist; carpal | 腕; 腕部; 手腕; 腕关节
f_hand: hand | 手; 手部
f_finger: finger; thumb; digit | 手指; 指
f_hip: hip | 髋; 髋部; 髋关节
f_thigh: thigh | 大腿
f_knee: knee | 膝; 膝部; 膝关节
f_leg: leg; lower limb; lower leg | 腿; 下肢; 小腿
f_ankle: ankle | 踝; 踝部; 踝关节; 脚踝
f_foot: foot; feet; plantar | 足; 足部; 脚
f_toe: toe; toes | 趾; 脚趾
f_rib: rib; costal | 肋骨; 肋
f_bone: bone; osseous; skeletal | 骨; 骨骼
f_joint: joint; articular | 关节
f_muscle: muscle; muscular | 肌肉; 肌
f_skin: skin; cutaneous; dermal | 皮肤
f_node: lymph node; lymph nodes; nodal | 淋巴结
f_axilla: axilla; axillary | 腋; 腋窝; 腋下
f_artery: artery; arterial | 动脉
f_vein: vein; venous | 静脉
f_vessel: vessel; vascular | 血管
f_coronary: coronary | 冠状动脉; 冠脉
f_aorta: aorta; aortic | 主动脉
f_valve: heart valve; valve; valvular; valvar | 瓣; 瓣膜; 心脏瓣膜
f_mitral: mitral | 二尖瓣
f_atrium: atrium; atrial | 心房; 房性
f_ventricle: ventricle; ventricular | 心室; 室性
f_cancer: cancer; carcinoma; malignant neoplasm; malignant tumor; malignancy | 癌; 恶性肿瘤
f_tumor: tumor; neoplasm | 肿瘤; 瘤
f_secondary: secondary malignant neoplasm; metastasis; metastases; metastatic | 转移; 转移癌; 转移瘤
f_fracture: fracture; fractured; broken | 骨折
f_sprain: sprain; sprained | 扭伤
f_laceration: laceration; lacerated | 裂伤; 撕裂伤
f_injury: injury; injured; trauma; traumatic | 损伤; 外伤; 创伤
f_burn: burn; burnt; burns | 烧伤; 烫伤
f_infection: infection; infected; infectious | 感染; 感染性
f_bacterial: bacterial | 细菌; 细菌性
f_viral: viral; virus | 病毒; 病毒性
f_fungal: fungal | 真菌; 真菌性
f_failure: failure; insufficiency | 衰竭; 功能不全; 功能衰竭
f_stone: stone; stones; calculus; calculi; lithiasis | 结石
f_ulcer: ulcer; ulceration | 溃疡
f_polyp: polyp; polyps | 息肉
f_cyst: cyst; cystic | 囊肿
f_thrombosis: thrombosis; thrombus; thrombi; clot | 血栓; 血栓形成
f_embolism: embolism; embolus; emboli | 栓塞
f_stenosis: stenosis; narrowing; stricture | 狭窄
f_hypertrophy: hypertrophy; hypertrophic; hyperplasia; enlargement | 肥大; 增生
f_neuropathy: neuropathy | 神经病变
f_retinopathy: retinopathy | 视网膜病变
f_nephropathy: nephropathy | 肾病
f_arthritis: arthritis | 关节炎
f_allergy: allergic | 过敏性
f_alcohol: alcohol; alcoholic; alcohol related; alcohol associated; alcohol induced | 酒精; 酒精性
f_dependence: dependence; dependent; dependency; use disorder | 依赖
f_abuse: abuse; misuse | 滥用
f_transplant: transplant; transplantation; transplanted; graft; allograft; recipient | 移植; 移植术; 移植受者
f_prosthetic: prosthetic; prosthesis; artificial | 人工; 假体
f_replacement: replacement; replaced; arthroplasty | 置换; 置换术
f_resection: resection; resected; excision; excised; removal; removed | 切除; 切除术
f_biopsy: biopsy; biopsied | 活检
f_repair: repair; repaired | 修补; 修补术; 修复
f_surgery: surgery; surgical; operation | 外科; 手术
f_endoscopy: endoscopy; endoscopic | 内镜; 内窥镜
f_ultrasound: ultrasound; ultrasonography; sonography; sonogram | 超声; B超
f_ct: ct; computed tomography; ct scan | CT; 计算机断层扫描
f_mri: mri; magnetic resonance imaging; mri scan | MRI; 磁共振; 核磁共振
f_xray: x ray; xray; radiograph; radiography; plain film | X线; X光; 平片
f_ecg: ecg; ekg; electrocardiogram; electrocardiography | 心电图
f_study: study; examination; survey | 检查
f_fetal: fetal; fetus | 胎儿
f_anatomy: anatomy; anatomic; anatomical | 解剖; 结构
f_pregnancy: pregnant; pregnancy; gestation; gravid | 妊娠; 怀孕; 孕妇; 孕期; 妊娠期
f_prenatal: prenatal; antenatal | 产前; 产检; 孕期检查
f_delivery: delivery; delivered; childbirth | 分娩
f_newborn: newborn; neonatal; neonate | 新生儿
f_well_child: well child; well baby; well child visit | 儿童保健; 健康儿童; 儿保
f_dental_care: dental care; dentistry | 口腔科
f_counseling: counseling; counselling; education; advice | 咨询; 教育; 宣教; 指导
f_rehab: rehabilitation; physiotherapy; physical therapy | 康复; 理疗
f_diet: diet; dietary; nutrition; nutritional | 饮食; 营养
f_exercise: exercise; physical activity | 运动; 锻炼
f_vaccine: vaccine; vaccination; immunization | 疫苗
f_dialysis: dialysis; renal dialysis | 透析
f_oxygen: oxygen; o2 | 氧; 氧气; 吸氧
f_saturation: saturation | 饱和度
f_blood: blood | 血液
f_stool: stool; fecal; faecal; feces | 粪便; 大便
f_glucose: glucose; sugar | 葡萄糖; 糖
f_vitamin: vitamin; vitamins | 维生素
f_pathogenic: pathogenic | 致病; 致病性
f_gene: gene; genes | 基因
f_variant: variant; mutation; mutated | 变异; 突变; 基因变异
f_amplification: amplification; amplified | 扩增
f_pain: painful; pain; ache | 痛; 疼痛
f_swelling: swelling; swollen | 肿; 肿胀
f_breathless: breathless; breathlessness; dyspnea; shortness of breath; short of breath | 气促; 气短; 呼吸困难
f_extended: extended release; prolonged release; sustained release; modified release | 缓释; 控释
f_congenital: congenital | 先天性; 先天
f_hereditary: hereditary; familial; inherited | 遗传性; 家族性
f_early_onset: early onset | 早发; 早发性
f_end_stage: end stage; terminal | 终末期; 晚期
f_stage: stage | 分期
f_closed: closed | 闭合性
f_open: open | 开放性
f_complete: complete; completely | 完全; 完全性
f_partial: partial; partially; part of; part of the; part | 部分; 部分性
f_total: total | 全; 总
f_major: major | 重大; 主要
f_seasonal: seasonal | 季节性
f_perennial: perennial | 常年性
f_essential: essential | 原发性
f_refuse: refuse; refuses; refused; refusing; decline of; refusal | 拒绝; 拒服
f_intolerance: intolerance; intolerant | 不耐受
f_anaphylaxis: anaphylaxis; anaphylactic; severe allergic reaction | 过敏性休克; 严重过敏反应
"""
