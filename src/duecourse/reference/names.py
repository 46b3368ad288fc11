"""Names of firms and people as they are compared: without case, accents, brackets and legal forms, in Latin and in Chinese script.  名称归一"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

CHINESE: Final = re.compile(r"[\u3400-\u9fff]")

LEGAL_FORMS: Final = frozenset(
    ["ab", "ag", "aps", "as", "asa", "bhd", "bv", "bvba", "co", "company", "corp", "corporation", "cv", "doo", "ead", "eood", "fzc", "fzco", "fze", "gmbh", "inc", "incorporated", "jsc", "kft", "kg", "kgaa", "kk", "limited", "llc", "llp", "lp", "ltd", "ltda", "mbh", "mchj", "nv", "oao", "ohg", "ooo", "oy", "oyj", "pao", "pjsc", "plc", "pt", "pte", "pty", "ptd", "pvt", "private", "public", "sa", "sae", "sal", "sarl", "sas", "sasu", "sdn", "se", "sl", "slu", "snc", "spa", "spol", "sp", "srl", "sro", "tbk", "zao", "zoo", "ojsc", "cjsc", "fpe", "scs", "eurl", "uab", "sia", "ou"]
)  # fmt: skip
"""What a name ends in by law, not by choice."""

LIGHT_WORDS: Final = frozenset(
    [
        "and",
        "the",
        "of",
        "de",
        "la",
        "du",
        "der",
        "die",
        "und",
        "for",
        "e",
        "y",
        "et",
        "group",
        "holding",
        "holdings",
        "international",
        "trading",
        "trade",
        "import",
        "export",
        "general",
    ]
)
"""Words so common in names that they say little."""

CHINESE_FORMS: Final = (
    "股份有限责任公司", "股份有限公司", "有限责任公司", "集团有限公司", "有限公司", "集团公司", "股份公司", "总公司", "分公司", "公司", "合伙企业", "有限合伙", "普通合伙",
    "个体工商户", "经营部", "商行", "集团", "工厂", "总厂", "厂", "店",
)  # fmt: skip
REGIONS: Final = ["中国", "北京", "上海", "天津", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江", "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州", "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆", "香港", "澳门", "深圳", "广州", "东莞", "佛山", "中山", "珠海", "惠州", "杭州", "宁波", "温州", "绍兴", "嘉兴", "金华", "义乌", "台州", "南京", "苏州", "无锡", "常州", "南通", "扬州", "徐州", "合肥", "芜湖", "福州", "厦门", "泉州", "南昌", "济南", "青岛", "烟台", "潍坊", "淄博", "郑州", "洛阳", "武汉", "宜昌", "长沙", "株洲", "成都", "绵阳", "贵阳", "昆明", "西安", "宝鸡", "兰州", "沈阳", "大连", "长春", "哈尔滨", "石家庄", "唐山", "保定", "太原", "南宁", "柳州", "海口", "呼和浩特", "乌鲁木齐", "昆山", "张家港", "江阴", "常熟", "慈溪", "余姚"]  # fmt: skip
TRADES: Final = ["国际贸易", "进出口贸易", "进出口", "贸易", "商贸", "科技发展", "信息技术", "信息科技", "网络科技", "科技", "技术", "实业", "工业", "机械设备", "机械制造", "精密机械", "机械", "机电设备", "机电", "设备", "电子科技", "电子", "电器", "电气", "汽车零部件", "汽车配件", "汽车", "建筑材料", "建材", "建筑工程", "建设工程", "工程", "装饰", "纺织品", "纺织", "服装", "服饰", "化工", "化学", "新材料", "材料", "食品", "饮料", "农业", "医药", "医疗器械", "生物科技", "生物", "物流", "运输", "供应链管理", "供应链", "投资管理", "投资", "资产管理", "控股", "置业", "房地产开发", "房地产", "能源", "石油化工", "石油", "矿业", "钢铁", "金属制品", "金属", "五金制品", "五金", "塑料制品", "塑料", "橡胶", "包装", "印刷", "家具", "文化传媒", "文化", "传媒", "广告", "咨询", "管理", "发展", "制造", "加工", "批发", "零售", "百货", "环保", "光电", "仪器仪表", "仪器", "船舶", "航运", "海运"]  # fmt: skip
_TRADITIONAL: Final = (
    "藍蓝國国東东華华電电業业機机貿贸際际實实發发聯联資资產产團团廣广門门開开龍龙興兴億亿萬万長长銀银銷销製制藥药農农豐丰陽阳寶宝達达運运輸输環环風风務务車车鋼钢鐵铁魚鱼馬马鳳凤鴻鸿麗丽齊齐島岛灣湾縣县區区鎮镇鄉乡礦矿設设備备計计術术學学質质軟软網网絡络數数據据線线"
    "紡纺織织綠绿維维綜综總总經经營营遠远進进出出時时書书會会陳陈張张劉刘楊杨趙赵黃黄吳吴鄭郑馮冯許许葉叶蘇苏盧卢譚谭陸陆韓韩鄧邓蕭萧賴赖羅罗韋韦紅红飛飞燈灯熱热燃燃煙烟亞亚歐欧聖圣偉伟傑杰強强慶庆愛爱樂乐優优價价個个們们億亿儀仪冊册凱凯劃划創创勝胜勞劳勵励匯汇協协單单卻却"
    "廠厂參参雙双變变唇唇員员問问啟启園园圓圆圖图報报場场塊块塗涂壓压處处夢梦奧奥媽妈嬰婴孫孙寧宁審审寫写寬宽導导層层嶺岭嶽岳巖岩帶带幫帮幣币庫库應应廢废張张彈弹徑径從从復复徵征態态慣惯憑凭戰战戲戏戶户拋抛挾挟換换揚扬損损搖摇擇择擊击擔担據据擴扩攝摄敵敌斷断暢畅曆历"
    "條条構构標标樣样橋桥檢检權权歲岁歷历殺杀氣气漢汉決决沒没況况淨净減减測测滅灭滿满漁渔潔洁潤润澤泽濟济濱滨煉炼無无爾尔牆墙獎奖獨独現现瑪玛療疗監监盤盘眾众確确碼码礎础種种稱称穩稳窮穷競竞筆笔節节簡简籌筹糧粮級级純纯細细終终組组結结給给統统緊紧續续編编緣缘縱纵績绩繼继"
    "職职聲声腦脑膠胶臺台艦舰莊庄萊莱蓋盖薦荐藝艺蘭兰號号虧亏蝦虾蠶蚕補补裝装裡里複复見见規规視视觀观訂订討讨記记訊讯訓训評评試试話话該该詳详認认語语誠诚調调請请論论證证識识警警譯译議议護护讀读負负財财貢贡貨货販贩責责貴贵買买費费賀贺賓宾賣卖賽赛贏赢趨趋輪轮輝辉辦办邊边"
    "郵邮鄰邻醫医釀酿針针鉆钻銅铜鋁铝錄录錢钱錦锦鍵键鍋锅鎖锁鏡镜鐘钟鑄铸鑫鑫閃闪間间閱阅闊阔關关陰阴階阶隊队隨随險险雜杂離离難难雲云靈灵靜静韻韵頁页頂顶項项順顺預预領领頭头題题額额顏颜類类顧顾飯饭飲饮飾饰養养餐餐館馆駐驻駿骏驗验體体髮发鮮鲜鳥鸟鹽盐鹿鹿麥麦點点黨党"
)
SIMPLIFIED: Final = {ord(_TRADITIONAL[place]): _TRADITIONAL[place + 1] for place in range(0, len(_TRADITIONAL) - 1, 2)}
"""Traditional characters common in company names -> simplified."""


@dataclass(frozen=True)
class Parts:
    """A name taken apart.

    script  latin | chinese
    brand   字号: what tells the firm from others; of a Latin name its words, in order
    region, trade, form   行政区划, 行业, 组织形式 of a Chinese name
    words   the words of a Latin name without legal forms
    whole   all of it, normalised
    """

    script: str
    whole: str
    brand: str
    words: tuple[str, ...] = ()
    region: str = ""
    trade: str = ""
    form: str = ""


@lru_cache(maxsize=200_000)
def parts_of(name: str) -> Parts:
    """Take a name apart.

    >>> parts_of("宁波欣原机械设备有限公司").brand
    '欣原'
    """
    text = unicodedata.normalize("NFKC", name).translate(SIMPLIFIED)
    if len(CHINESE.findall(text)) >= 2:
        return _chinese(text)
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign)).casefold()
    plain = plain.replace("ß", "ss").replace("ø", "o").replace("æ", "ae").replace("ł", "l").replace("&", " and ")
    plain = re.sub(r"(?<=\b\w)\.(?=\w\b)", "", plain)  # S.p.A. -> SpA
    words = [word for word in re.split(r"[^0-9a-z\u0400-\u04ff\u0600-\u06ff]+", plain) if word]
    kept = tuple(word for word in words if word not in LEGAL_FORMS) or tuple(words)
    telling = tuple(word for word in kept if word not in LIGHT_WORDS) or kept
    return Parts("latin", " ".join(words), " ".join(telling), telling)


def _chinese(text: str) -> Parts:
    bare = re.sub(r"[^\u3400-\u9fff0-9a-zA-Z]", "", text).lower()
    bare = re.sub(r"(公司|厂)[^公司]{2,8}分公司$", r"\1", bare)  # a branch is the firm itself
    rest, form, trade, regions = bare, "", "", []
    for ending in CHINESE_FORMS:
        if rest.endswith(ending) and len(rest) > len(ending) + 1:
            rest, form = rest[: -len(ending)], ending
            break
    moved = True
    while moved:
        moved = False
        for region in REGIONS:
            place = rest.find(region)
            named = place == 0 or (place > 0 and f"({region}" in text)  # before the name, or in brackets within it
            if named and len(rest) > len(region) + 1:
                regions.append(region)
                rest = re.sub(r"^(省|市|县|区)", "", rest[:place] + rest[place + len(region) :])
                moved = True
                break
    found: list[str] = []
    moved = True
    while moved:
        moved = False
        for word in TRADES:
            if rest.endswith(word) and len(rest) > len(word) + 1:
                found.insert(0, word)
                rest, moved = rest[: -len(word)], True
                break
    trade = "".join(found)
    return Parts("chinese", bare, rest or bare, (), " ".join(regions), trade, form)
