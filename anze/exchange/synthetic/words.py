"""Invented names. Brands are triples of rare characters, which nobody's company is called; institutions say
that they are examples (示例)."""

from __future__ import annotations

from random import Random

# 48 characters: 110,592 brands of three
BRAND = "霁砚岫澹槿珩栎翊珂淇渌漪葭蔚菁筠箬榆楸梓桐檀樾柘棠桦荻蓼芷芮苒茗萱蕴藜璟珣琢璞瑾玥瑶琅珀皓曦昀暄"
_BRANDS = len(BRAND) ** 3


def listed(words: str) -> tuple[str, ...]:
    """The words of a text, one after another."""
    return tuple(words.split())


INSURERS = listed(
    "青梧 松岚 云岫 听涛 拾穗 朝露 白鹭 竹溪 麦浪 槐序 星槎 晴川 雁回 沧澜 檀溪 扶摇 疏影 青萍 鹿鸣 雪松 "
    "银杏 秋实 霁月 枫桥 沐风 千帆 石榴 砚池 明棠 蓼花 芦舟 柘园 桐荫 荻浦 萱草"
)
INSURERS_EN = listed(
    "Qingwu Songlan Yunxiu Tingtao Shisui Zhaolu Bailu Zhuxi Mailang Huaixu Xingcha Qingchuan Yanhui Canglan "
    "Tanxi Fuyao Shuying Qingping Luming Xuesong Yinxing Qiushi Jiyue Fengqiao Mufeng Qianfan Shiliu Yanchi "
    "Mingtang Liaohua Luzhou Zheyuan Tongyin Dipu Xuancao"
)
AGENCY_KINDS = (
    "安全技术服务有限公司",
    "安全科技有限公司",
    "安全评价有限公司",
    "注册安全工程师事务所有限公司",
)

_SURNAMES = "王李张刘陈杨赵孙周吴徐朱马胡郭林何高梁宋郑唐冯韩于董程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
_GIVEN = "霁砚岫澹槿珩栎翊珂淇漪葭蔚菁筠榆楸梓桐檀樾棠桦荻芷芮苒茗萱蕴璟珣琢璞瑾玥瑶琅珀皓曦昀暄朔岳峤衡"


def _trades(words: str) -> tuple[tuple[str, str], ...]:
    each = listed(words)
    return tuple(zip(each[::2], each[1::2], strict=True))


# sector → what an enterprise of it may be called, with the industry's code (GB/T 4754-2017)
TRADES = {
    "MINE": _trades("矿业 0810 石材 1011 煤业 0610 金矿 0921 采石场 1012 石膏矿 1019"),
    "HAZCHEM": _trades(
        "化工 2614 加油站 5265 加油站 5265 加油站 5265 精细化工 2669 危化品仓储 5942 气体 2619 油品销售 5162 "
        "新材料 2651 涂料 2641 医药化工 2710 化工贸易 5169"
    ),
    "FIREWORK": _trades("烟花爆竹经营部 5299 烟花爆竹批发 5199 烟花零售店 5299"),
    "TRANSPORT": _trades(
        "物流 5430 运输 5430 危货运输 5435 客运 5411 汽车运输 5430 出租车 5413 港口装卸 5910 船务 5521"
    ),
    "CONSTR": _trades(
        "建筑工程 4720 建设集团 4720 市政工程 4813 路桥 4812 安装工程 4920 装饰工程 5011 水利工程 4821 "
        "钢结构 4720 劳务 4790"
    ),
    "CIVEXP": _trades("民爆器材 2671 爆破工程 4890"),
    "SMELT": _trades("钢铁 3110 铸造 3391 铜业 3211 合金 3240 冶金 3120 铅业 3212"),
    "FISHERY": _trades("渔业 0411 远洋渔业 0412 水产 0411 海洋捕捞 0412 渔业专业合作社 0411"),
    "OTHER": _trades(
        "机械制造 3489 木业 2021 食品 1353 纺织 1711 家具 2110 建材 3021 橡胶 2911 造纸 2221 商贸 5212 "
        "电气 3821 面粉 1311 冷链 5931"
    ),
}
ALUMINIUM = _trades("铝材 3252 铝业 3216 铝型材 3252")

_ROADS = listed("工业一路 工业二路 创业路 港城路 园区北路 园区南路 振兴街 新区大道 货场街 滨河路")


def brand(number: int) -> str:
    """The brand of a number; different below 110,592, in an order nobody sees."""
    number = number * 40_507 % _BRANDS
    first, rest = divmod(number, len(BRAND) ** 2)
    return BRAND[first] + BRAND[rest // len(BRAND)] + BRAND[rest % len(BRAND)]


def short_region(name: str) -> str:
    """A county or city as it stands in a company's name: 邹平市 → 邹平; 单县 keeps its two characters."""
    for ending in ("高新技术产业开发区", "火炬高技术产业开发区", "滨海经济技术开发区", "经济技术开发区"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name[:-1] if len(name) > 2 and name[-1] in "市区县" else name


def person(random: Random) -> str:
    """A name of two or three characters."""
    name = random.choice(_SURNAMES) + random.choice(_GIVEN)
    return name + random.choice(_GIVEN) if random.random() < 0.75 else name


def address(random: Random, city: str, county: str) -> str:
    return f"{city}{county}{random.choice(_ROADS)}{random.randint(1, 299)}号"
