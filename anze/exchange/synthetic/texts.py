"""What is found, taught and reported: wordings of hazards by sector, topics, and service reports."""

from __future__ import annotations

from random import Random

from anze.exchange.synthetic.words import listed

# criterion, wording, advice; criteria as in the register of determination standards
Finding = tuple[str, str, str]

_AL: tuple[Finding, ...] = (
    ("AL-1", "水冷铸造机未设置应急水源", "建设高位应急水箱并与主供水自动切换"),
    ("AL-2", "闭路冷却元件缺少出水温度和进出水流量差监测报警", "加装监测报警装置并接入控制系统"),
    ("AL-3", "结晶器冷却水流量报警未与流槽快速切断装置联锁", "完善联锁逻辑并做联动试验"),
    ("AL-4", "固定式熔炼炉铝液出口流槽未设液位报警", "加装液位监测和报警装置"),
    ("AL-4", "固定炉出口缺少机械锁紧装置", "增设机械锁紧装置并纳入班前检查"),
    ("AL-5", "铝水流槽未设置紧急排放阀", "增设紧急排放阀和应急储存容器"),
    ("AL-6", "倾动炉模盘入口快速切断装置失效", "修复切断装置并与倾动控制联锁"),
    ("AL-7", "铸造卷扬系统使用麻芯钢丝绳且无检查更换记录", "更换为钢芯钢丝绳并建立定期检查制度"),
    ("GM-3.2", "熔铸行车司机未取得特种作业资格", "停止无证上岗并安排取证"),
)
_MAJOR: dict[str, tuple[Finding, ...]] = {
    "MINE": (
        ("", "采场边坡角大于设计值且未采取措施", "停止该台阶作业，按设计削坡"),
        ("", "局部通风机未按规定连续运转", "停止掘进，恢复供风并测风"),
        ("", "安全出口堵塞，井下人员无法从两个出口撤离", "立即清理并恢复第二安全出口"),
        ("", "排水系统能力不足，备用水泵不能启动", "更换备用水泵并恢复双回路"),
    ),
    "HAZCHEM": (
        ("HC-5", "一级重大危险源罐区未实现紧急切断功能", "加装紧急切断阀并接入控制系统"),
        ("HC-7", "液化气体充装未使用万向管道充装系统", "停止软管充装，更换万向充装臂"),
        ("HC-12", "涉及可燃气体的场所未按标准设置检测报警装置", "按标准布点并校验"),
        ("HC-18", "动火作业未办理作业票且无人监护", "停止作业，落实特殊作业审批"),
        ("HC-20", "禁忌化学品混存，未按分区分类储存", "分库储存并清点超量品种"),
        ("HC-2", "特种作业人员无证上岗", "停止无证作业并安排取证"),
    ),
    "FIREWORK": (
        ("", "零售点与居民居住场所设置在同一建筑物内", "停止经营并迁址"),
        ("", "仓库超许可数量储存", "清运超量产品并核减库存"),
    ),
    "TRANSPORT": (
        ("", "危险货物运输车辆卫星定位装置被人为屏蔽", "恢复定位并追究责任"),
        ("", "罐体超过检验有效期仍在使用", "停运并送检"),
        ("", "驾驶员从业资格证失效仍上岗", "停止其驾驶并补办资格"),
    ),
    "CONSTR": (
        ("", "深基坑支护结构变形超过预警值未采取措施", "停止开挖，回填反压并复核支护"),
        ("", "高大模板支撑体系未按专项方案搭设", "停工整改并重新验收"),
        ("", "塔式起重机未经验收投入使用", "停用并组织验收"),
        ("", "高处作业吊篮安全锁失效", "停用吊篮并更换安全锁"),
    ),
    "CIVEXP": (
        ("", "工房定员定量超标", "立即撤出多余人员和产品"),
        ("", "静电释放装置失效", "停产检修并复测"),
    ),
    "SMELT": (
        ("GM-3.3", "主要负责人未经安全生产知识考核合格", "参加考核并取得合格证明"),
        ("", "炉前会议室设置在熔融金属吊运影响范围内", "迁出会议室并划定禁入区"),
        ("", "煤气柜区未设置固定式一氧化碳报警仪", "按标准布点并校验"),
        ("", "铁水罐吊运起重机非冶金起重机", "停用并更换符合要求的起重机"),
    ),
    "FISHERY": (
        ("", "渔船超员作业", "核减船上人员"),
        ("", "自动识别系统设备无法正常工作", "修复设备后出海"),
        ("", "救生筏超过检修有效期", "更换并登记"),
    ),
    "OTHER": (
        ("DUST-3", "干式除尘系统未设置泄爆装置", "加装泄爆装置"),
        ("DUST-10", "粉尘清扫制度未落实，现场积尘严重", "停产清扫并落实制度"),
        ("NH3-2", "快速冻结装置未设置在单独的作业间内", "隔离作业间并限制人数"),
        ("CS-2", "有限空间作业未审批、未通风检测", "停止作业，落实审批和监护"),
        ("GM-3.1", "未对承租单位统一协调管理", "签订安全管理协议并定期检查"),
    ),
}


def _general(words: str) -> tuple[tuple[str, str], ...]:
    """Wording and advice of one hazard after another."""
    each = listed(words)
    return tuple(zip(each[::2], each[1::2], strict=True))


_GENERAL = {
    "": _general(
        "配电箱门缺失，箱内有杂物 补装箱门并清理 灭火器压力不足 更换灭火器并建立月检记录 "
        "疏散通道堆放货物 清理通道并划线 安全出口指示灯不亮 更换指示灯 "
        "班组安全活动记录不全 补充记录并由负责人审核 应急预案未按期演练 制定计划并组织演练 "
        "临时用电线路未架空 按规范架设 劳动防护用品佩戴不规范 现场纠正并培训 "
        "叉车未张贴检验合格标志 补办并张贴 危险岗位缺少操作规程 编制规程并上墙 "
        "安全警示标志褪色 更换标志 移动梯具缺少防滑垫 更换或加装防滑垫 配电室未放置挡鼠板 加装挡鼠板 "
        "外来人员未登记进入作业区 落实门卫登记制度 设备防护罩固定螺栓缺失 补齐并紧固"
    ),
    "MINE": _general("矿山道路一侧缺少挡车设施 补设挡车堆 井下照明损坏 更换灯具 爆破警戒标志不足 增设警戒标志"),
    "HAZCHEM": _general(
        "可燃气体报警仪未在检定期内 送检并贴标 静电接地夹接触不良 更换并测试 卸油口未上锁 加锁管理 "
        "储罐呼吸阀未定期检查 检查并记录 洗眼器水压不足 检修管路"
    ),
    "FIREWORK": _general("销售台账未登记流向 按规定登记 店内未设温湿度计 配置并记录"),
    "TRANSPORT": _general(
        "车辆轮胎磨损接近极限 更换轮胎 驾驶员出车前检查未签字 落实例检 车载灭火器过期 更换灭火器 "
        "动态监控值班记录缺失 补充并核查"
    ),
    "CONSTR": _general(
        "临边防护栏杆高度不足 加高至1.2米 安全网破损 更换安全网 脚手架连墙件缺失 补设连墙件 "
        "二级配电箱未做重复接地 补做接地 塔吊司机交接班记录缺失 补充记录"
    ),
    "CIVEXP": _general("出入库登记不及时 当日登记 防雷检测报告过期 重新检测"),
    "SMELT": _general(
        "炉前地面有积水 清除积水并查找漏点 吊具检查记录不全 补充记录 高温区域缺少隔热防护 加装隔热板 "
        "除尘管道积灰 清灰并记录"
    ),
    "FISHERY": _general("救生衣数量不足 补足救生衣 甲板缆绳磨损 更换缆绳 船员未签进出港报告 落实报告制度"),
    "OTHER": _general(
        "冲压设备光电保护失灵 修复后使用 木工机械缺少防护 加装防护罩 除尘器未定期清灰 按周期清灰 "
        "冷库报警按钮失效 检修并测试 油漆间未防爆 更换防爆电器"
    ),
}

LOCATIONS = listed(
    "一车间 二车间 配电室 原料库 成品库 装卸区 锅炉房 空压机房 罐区 办公楼 食堂 维修间 东侧通道 北门 化验室 "
    "泵房 值班室 堆场"
)
_PLACES = {
    "MINE": listed("采场一号台阶 主井口 破碎站 炸药库外围 运输巷道"),
    "TRANSPORT": listed("停车场 调度室 维修车间 装货区 监控室"),
    "CONSTR": listed("3号楼东立面 基坑北侧 钢筋加工棚 塔吊基础 生活区 地下室"),
    "FISHERY": listed("驾驶室 机舱 甲板 码头泊位 冷藏舱"),
    "SMELT": listed("熔炼车间 铸造平台 炉前操作室 渣场 煤气站"),
    "HAZCHEM": listed("罐区 卸车区 加油岛 反应釜区 中控室 仓库"),
    "FIREWORK": listed("营业厅 储存间 门口警戒区"),
}
_TOPICS = {
    "TRAIN": listed("安全生产法和主体责任 消防安全 有限空间作业 特殊作业安全 反三违专题 新员工三级教育"),
    "HAZARD": listed("重大事故隐患对照排查 季节性安全检查 电气安全专项 消防专项 设备设施专项 作业现场全面排查"),
    "DRILL": listed("火灾疏散演练 中毒窒息救援演练 防汛演练 泄漏处置演练"),
    "RISK": listed("风险分级管控清单梳理 岗位风险辨识 较大风险评估"),
    "STD": listed("标准化自评辅导 制度修订辅导"),
    "TECH": listed("监测预警设备推广 智能视频监控应用"),
}
OPINIONS = listed("服务细致 希望增加培训 建议提前预约 整改建议可行 专家水平高 资料齐全")

# the hazard of the library each of these was chosen from; what is not here was worded freely
_ENTRIES = {
    "采场边坡角大于设计值且未采取措施": "MI-06", "局部通风机未按规定连续运转": "MI-01", "仓库超许可数量储存": "FW-02",
    "危险货物运输车辆卫星定位装置被人为屏蔽": "TR-03", "驾驶员从业资格证失效仍上岗": "TR-01",
    "深基坑支护结构变形超过预警值未采取措施": "CO-01", "高大模板支撑体系未按专项方案搭设": "CO-02",
    "塔式起重机未经验收投入使用": "CO-04", "工房定员定量超标": "CE-01",
    "炉前会议室设置在熔融金属吊运影响范围内": "SM-02", "煤气柜区未设置固定式一氧化碳报警仪": "SM-08",
    "铁水罐吊运起重机非冶金起重机": "SM-01", "渔船超员作业": "FI-05", "自动识别系统设备无法正常工作": "FI-04",
    "救生筏超过检修有效期": "FI-03",
}  # fmt: skip


def entry_of(description: str) -> str:
    return _ENTRIES.get(description, "")


def major(random: Random, sector: str, aluminium: bool) -> Finding:
    found = _AL if aluminium else _MAJOR[sector]
    return found[int(random.random() * len(found))]


def general(random: Random, sector: str) -> Finding:
    own = _GENERAL.get(sector, ())
    found = own if own and random.random() < 0.45 else _GENERAL[""]
    wording, advice = found[int(random.random() * len(found))]
    return "", wording, advice


def location(random: Random, sector: str) -> str:
    found = _PLACES.get(sector, LOCATIONS) if random.random() < 0.6 else LOCATIONS
    return found[int(random.random() * len(found))]


def topic(random: Random, service_type: str) -> str:
    found = _TOPICS.get(service_type, _TOPICS["HAZARD"])
    return found[int(random.random() * len(found))]


_SEEN = (
    "查看{place}，{thing}运行{state}，实测{measure}{value}{unit}",
    "抽查{thing}档案{n}份，其中{m}份{state2}",
    "在{place}询问{role}{n}人，{m}人能说出{knowledge}",
    "对{place}的{thing}做{test}，{n}次试验{m}次正常",
    "核对{thing}台账，本年度{n}条，与现场{state3}",
    "{place}至{place2}通道宽{value}米，{state4}",
    "查阅{month}月{record}，记录{n}页，{state2}的{m}页",
    "{role}演示{skill}，用时{value}分钟，{state5}",
)
_FILL = {
    "thing": listed(
        "行车 空压机 储罐 配电柜 通风机 消防泵 报警仪 叉车 除尘器 起重吊具 压力表 安全阀 卷扬机 应急灯 "
        "运输车辆 脚手架 救生设备 防爆电器"
    ),
    "state": listed("平稳 正常 有轻微异响 时有波动 良好"),
    "measure": listed("温度 接地电阻 压力 照度 风速 噪声 浓度"),
    "unit": listed("（现场读数） （仪器读数） （复测后）"),
    "state2": listed("填写完整 缺少签字 日期有涂改 内容过于简单"),
    "role": listed("班组长 操作工 安全员 电工 驾驶员 仓库保管员 新入职员工 值班人员"),
    "knowledge": listed("本岗位应急处置要点 重大隐患判定条款 撤离路线 防护用品使用方法 报警电话和程序"),
    "test": listed("紧急停止试验 联锁试验 漏电保护试验 声光报警试验 启停试验"),
    "state3": listed("一致 有两处不一致 基本相符 有出入，已要求更正"),
    "state4": listed("满足要求 有物料占用，当场清理 已划线 照明偏暗"),
    "record": listed("巡检记录 交接班记录 动火作业票 设备保养记录 培训签到表 隐患台账"),
    "skill": listed("灭火器使用 空气呼吸器佩戴 心肺复苏 紧急切断操作 吊索具检查"),
    "state5": listed("动作熟练 步骤有遗漏，已讲解 达到要求 需要再练"),
}


def report(random: Random, *, enterprise: str, day: str, sector: str, people: str, findings: list[str]) -> str:
    """A service report: the common template, and in it what was really seen there, in ten or so sentences."""
    seen: list[str] = []
    for sentence in random.sample(_SEEN * 2, random.randint(8, 12)):
        n = random.randint(3, 28)
        words = {name: random.choice(values) for name, values in _FILL.items() if "{" + name + "}" in sentence}
        seen.append(
            sentence.format(
                place=location(random, sector),
                place2=location(random, sector),
                value=round(random.uniform(0.8, 48), 1),
                n=n,
                m=random.randint(1, n),
                month=random.randint(1, 12),
                **words,
            )
        )
    found = "；".join(findings) if findings else "本次未发现隐患"
    return (
        f"一、基本情况\n受承保机构委托，{people}于{day}到{enterprise}开展事故预防技术服务。\n"
        f"二、服务过程\n{'。'.join(seen)}。\n"
        f"三、发现的问题\n{found}。\n"
        "四、意见建议\n请企业落实主体责任，按期完成整改并将整改情况报送承保机构。"
    )


def copied(random: Random, original: str, *, enterprise: tuple[str, str], day: tuple[str, str]) -> str:
    """Somebody else's report under another name: enterprise and day exchanged, a few numbers of what was seen touched."""
    text = original.replace(*enterprise).replace(*day)
    seen = text.find("二、")
    places = [i for i, character in enumerate(text) if i > seen and character.isdigit()]
    letters = list(text)
    for place in random.sample(places, min(3, len(places))):
        letters[place] = str(random.randint(1, 9))
    return "".join(letters)
