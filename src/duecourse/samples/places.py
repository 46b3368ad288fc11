"""The world the demo's buyers live in: countries, cities, trades and the parts that company names are put together from.

The words are common surnames, places and trades; no name is taken from a company.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.samples import identifiers

if TYPE_CHECKING:
    from collections.abc import Callable

    from duecourse.samples.columns import Ints

SECTORS: Final = (
    "machinery", "electronics", "automotive parts", "building materials", "textiles", "chemicals", "food processing", "wholesale",
)  # fmt: skip
SECTOR_SHARES: Final = (0.24, 0.20, 0.16, 0.10, 0.07, 0.09, 0.06, 0.08)
GOODS: Final = (
    "Linear guides 直线导轨", "Control boards 控制板", "Bearing sets 轴承组件", "Door fittings 门用五金",
    "Spindle units 主轴单元", "Dosing pumps 计量泵", "Conveyor parts 输送机配件", "Assorted parts 综合配件",
)  # fmt: skip
"""What each sector buys from us."""

CURRENCIES: Final = ("CNY", "USD", "EUR", "GBP", "JPY", "PLN")
MINOR_PER_UNIT: Final = (100, 100, 100, 100, 1, 100)
CNY_PER_UNIT: Final = (1.0, 7.15, 7.80, 9.15, 0.0485, 1.83)
"""Rough level of each currency, for the size of an order and the start of the demo's rates."""
MONTHLY_VOLATILITY: Final = (0.0, 0.010, 0.016, 0.018, 0.022, 0.020)

OWNERS: Final = (
    "陈晓岚", "李志远", "王海宁", "赵敏", "孙建国", "周雨桐", "吴俊", "郑文静", "冯磊", "何佳",
    "Anna Keller", "Marc Dubois", "Laura Conti", "Tom Whitfield", "Eva Nowicka",
)  # fmt: skip
"""Sales owners; the last five work for the European subsidiary."""
EUROPEAN_OWNERS_FROM: Final = 10

ENTITIES: Final = ("CN01", "EU01")
"""Our own companies: the manufacturer in Ningbo and its European subsidiary in Hamburg."""


@dataclass(frozen=True)
class Country:
    """Where a buyer is: its share of buyers, money, cities, terms of payment and the parts of its companies' names.

    pattern and pattern_local are filled with {first} {second} {trade} {form} {city}; parts may have a second writing after a bar.
    terms are credit days with their shares; month_end is the share of buyers whose days run from the end of the month 月结.
    """

    code: str
    share: float
    currency: str
    european: bool
    cities: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    trades: tuple[str, ...]
    forms: tuple[str, ...]
    terms: tuple[tuple[int, float], ...]
    month_end: float
    identify: Callable[[Ints], list[str]] | None
    pattern: str = "{first}{second} {trade} {form}"
    pattern_local: str | None = None


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_TRADES_EN: Final = (
    "Machinery", "Electronics", "Auto Components", "Building Supplies", "Textiles", "Chemicals", "Foods", "Trading",
)  # fmt: skip
_TERMS_CHINA: Final = ((30, 0.14), (60, 0.28), (90, 0.38), (120, 0.20))
_TERMS_EUROPE: Final = ((14, 0.06), (30, 0.44), (45, 0.16), (60, 0.28), (90, 0.06))
_TERMS_SOUTH: Final = ((30, 0.16), (60, 0.44), (90, 0.34), (120, 0.06))
_TERMS_OVERSEAS: Final = ((30, 0.30), (45, 0.20), (60, 0.32), (90, 0.18))

CHINA_FIRST: Final = _words(
    "瑞|rui 恒|heng 鼎|ding 华|hua 盛|sheng 泰|tai 宏|hong 嘉|jia 博|bo 诚|cheng 德|de 丰|feng 冠|guan 昊|hao 弘|hong 汇|hui 坚|jian 景|jing "
    "凯|kai 朗|lang 立|li 领|ling 隆|long 铭|ming 诺|nuo 鹏|peng 启|qi 庆|qing 荣|rong 润|run 森|sen 顺|shun 拓|tuo 维|wei 祥|xiang 欣|xin "
    "旭|xu 雅|ya 益|yi 永|yong 誉|yu 远|yuan 悦|yue 泽|ze 振|zhen 卓|zhuo"
)
CHINA_SECOND: Final = _words(
    "晟|sheng 源|yuan 通|tong 和|he 晖|hui 科|ke 联|lian 茂|mao 明|ming 能|neng 平|ping 强|qiang 群|qun 升|sheng 实|shi 舜|shun 腾|teng "
    "天|tian 威|wei 翔|xiang 兴|xing 轩|xuan 亚|ya 业|ye 宇|yu 裕|yu 原|yuan 越|yue 韵|yun 展|zhan 正|zheng 志|zhi 洲|zhou 铸|zhu 创|chuang "
    "川|chuan 东|dong 飞|fei 港|gang 高|gao 格|ge 海|hai 航|hang 佳|jia 江|jiang 捷|jie"
)

CHINA: Final = 0
"""Position of China among the countries."""

COUNTRIES: Final = (
    Country(
        "CN", 0.56, "CNY", european=False,
        cities=_words(
            "宁波|Ningbo|330200 苏州|Suzhou|320500 深圳|Shenzhen|440300 东莞|Dongguan|441900 青岛|Qingdao|370200 杭州|Hangzhou|330100 "
            "无锡|Wuxi|320200 佛山|Foshan|440600 厦门|Xiamen|350200 成都|Chengdu|510100 武汉|Wuhan|420100 西安|Xi'an|610100 长沙|Changsha|430100 "
            "合肥|Hefei|340100 天津|Tianjin|120100 上海|Shanghai|310100 重庆|Chongqing|500100 大连|Dalian|210200 郑州|Zhengzhou|410100 "
            "泉州|Quanzhou|350500"
        ),
        first=CHINA_FIRST, second=CHINA_SECOND,
        trades=(
            "机械设备|Machinery", "电子科技|Electronic Technology", "汽车零部件|Auto Parts", "建材|Building Materials",
            "纺织|Textile", "化工|Chemical", "食品|Foods", "商贸|Trading",
        ),
        forms=("有限公司|Co., Ltd.", "有限公司|Co., Ltd.", "有限公司|Co., Ltd.", "股份有限公司|Co., Ltd.", "(集团)有限公司|(Group) Co., Ltd."),
        terms=_TERMS_CHINA, month_end=0.45, identify=None,
        pattern="{city} {first}{second} {trade} {form}", pattern_local="{city}{first}{second}{trade}{form}",
    ),
    Country(
        "DE", 0.08, "EUR", european=True,
        cities=_words("Stuttgart Dortmund Nürnberg Chemnitz Bielefeld Augsburg Kassel Ulm"),
        first=_words("Brand Stein Wald Hohen Linden Roth Falken Eber Grün Birken Alten Kirch Eich Sommer Winter Reichen"),
        second=_words("hoff bach feld berger brück hausen thal dorf mann stätter rieder wang"),
        trades=("Maschinenbau", "Elektronik", "Fahrzeugteile", "Baustoffe", "Textil", "Chemie", "Lebensmittel", "Handels"),
        forms=("GmbH", "GmbH", "GmbH & Co. KG", "AG"), terms=_TERMS_EUROPE, month_end=0.05, identify=identifiers.german,
    ),
    Country(
        "US", 0.06, "USD", european=False,
        cities=_words("Milwaukee Toledo Charlotte Houston Fresno Omaha Tulsa Akron"),
        first=_words("Cedar Granite Prairie Harbor Maple Summit Copper Willow Lake Red Iron Silver Stone Clear North Oak"),
        second=("field", "brook", "ridge", "ton", "haven", "crest", "wood", "mont", "gate", "well"),
        trades=_TRADES_EN, forms=("Inc.", "LLC", "Corp."), terms=_TERMS_OVERSEAS, month_end=0.05, identify=identifiers.american,
    ),
    Country(
        "JP", 0.04, "JPY", european=False,
        cities=("名古屋|Nagoya", "大阪|Osaka", "浜松|Hamamatsu", "福岡|Fukuoka", "川崎|Kawasaki", "広島|Hiroshima"),
        first=_words("北|kita 南|minami 東|higashi 青|ao 白|shira 黒|kuro 藤|fuji 松|matsu 杉|sugi 桜|sakura 高|taka 石|ishi"),
        second=_words("川|kawa 田|da 山|yama 原|hara 島|shima 井|i 村|mura 野|no 沢|zawa 崎|saki"),
        trades=("機械|Kikai", "電子|Denshi", "部品|Buhin", "建材|Kenzai", "繊維|Sen-i", "化学|Kagaku", "食品|Shokuhin", "商事|Shoji"),
        forms=("株式会社|K.K.",), terms=_TERMS_OVERSEAS, month_end=0.60, identify=identifiers.japanese, pattern_local="{first}{second}{trade}{form}",
    ),
    Country(
        "GB", 0.04, "GBP", european=True,
        cities=_words("Leeds Sheffield Coventry Bristol Derby Swansea Hull"),
        first=_words("Ash Black Thorn Kings Hazel Whit West Marl Long Fern Stan Hart"),
        second=_words("ford ley combe worth bury well field mere stead croft"),
        trades=_TRADES_EN, forms=("Ltd", "Ltd", "plc"), terms=_TERMS_EUROPE, month_end=0.25, identify=identifiers.british,
    ),
    Country(
        "FR", 0.04, "EUR", european=True,
        cities=_words("Lyon Lille Nantes Grenoble Mulhouse Rouen Toulouse"),
        first=_words("Beau Mont Clair Haute Belle Saint Roche Val Font Cour Ville Pierre"),
        second=_words("mont val fort champ rive lac bois pré fontaine court"),
        trades=("Mécanique", "Électronique", "Équipements", "Matériaux", "Textiles", "Chimie", "Alimentaire", "Négoce"),
        forms=("SAS", "SARL", "SA"), terms=_TERMS_EUROPE, month_end=0.40, identify=identifiers.french,
    ),
    Country(
        "IT", 0.04, "EUR", european=True,
        cities=_words("Brescia Bologna Modena Torino Vicenza Bergamo Prato"),
        first=_words("Monte Campo Villa Fonta Bella Rocca Terra Castel Ponte Valle Serra Riva"),
        second=_words("longo rosso verde nuovo forte bruno franco sole nero chiaro"),
        trades=("Meccanica", "Elettronica", "Ricambi", "Edilizia", "Tessuti", "Chimica", "Alimentari", "Commerciale"),
        forms=("S.r.l.", "S.r.l.", "S.p.A."), terms=_TERMS_SOUTH, month_end=0.50, identify=identifiers.italian,
    ),
    Country(
        "NL", 0.03, "EUR", european=True,
        cities=_words("Eindhoven Tilburg Zwolle Breda Almelo Venlo"),
        first=_words("Ooster Wester Hooge Linden Water Noorder Zuider Groene Nieuwe Oude"),
        second=_words("dijk veld berg burg hof kamp brug wijk horst meer"),
        trades=("Machines", "Elektronica", "Auto-onderdelen", "Bouwmaterialen", "Textiel", "Chemie", "Voeding", "Handel"),
        forms=("B.V.", "B.V.", "N.V."), terms=_TERMS_EUROPE, month_end=0.10, identify=identifiers.dutch,
    ),
    Country(
        "ES", 0.025, "EUR", european=True,
        cities=_words("Zaragoza Bilbao Valencia Vigo Sabadell Murcia"),
        first=_words("Monte Valde Fuente Torre Rio Peña Campo Villa Casa Sierra"),
        second=_words("alto verde real nueva blanca clara hondo mayor seca rubia"),
        trades=("Maquinaria", "Electrónica", "Recambios", "Materiales", "Textil", "Química", "Alimentación", "Comercial"),
        forms=("S.L.", "S.L.", "S.A."), terms=_TERMS_SOUTH, month_end=0.20, identify=identifiers.spanish,
    ),
    Country(
        "PL", 0.02, "PLN", european=True,
        cities=_words("Poznań Łódź Katowice Wrocław Rzeszów Lublin"),
        first=_words("Nowa Stara Biała Zielona Jasna Wielka Dobra Czarna"),
        second=_words("górska polska wodna leśna krajna ziemska skalna rzecka"),
        trades=("Maszyny", "Elektronika", "Części", "Budowa", "Tekstylia", "Chemia", "Żywność", "Handel"),
        forms=("Sp. z o.o.", "Sp. z o.o.", "S.A."), terms=_TERMS_EUROPE, month_end=0.05, identify=identifiers.polish,
    ),
    Country(
        "KR", 0.02, "USD", european=False,
        cities=("부산|Busan", "대구|Daegu", "울산|Ulsan", "창원|Changwon", "수원|Suwon"),
        first=_words("한|han 동|dong 신|shin 세|se 태|tae 남|nam 금|geum 청|cheong"),
        second=_words("원|won 린|rin 백|baek 명|myeong 해|hae 강|gang 솔|sol 빛|bit"),
        trades=("기계|Machinery", "전자|Electronics", "부품|Parts", "건재|Materials", "섬유|Textile", "화학|Chemical", "식품|Foods", "상사|Trading"),
        forms=("주식회사|Co., Ltd.",), terms=_TERMS_OVERSEAS, month_end=0.45, identify=identifiers.korean, pattern_local="{form} {first}{second}{trade}",
    ),
    Country(
        "VN", 0.015, "USD", european=False,
        cities=("Hải Phòng", "Đồng Nai", "Bình Dương", "Đà Nẵng"),
        first=_words("Minh Thanh Phú Hoàng Đại Tân Hưng An"), second=(" Long", " Phát", " Thịnh", " Lộc", " Quang", " Hải", " Sơn", " Bình"),
        trades=_TRADES_EN, forms=("Co., Ltd.", "JSC"), terms=_TERMS_OVERSEAS, month_end=0.10, identify=identifiers.vietnamese,
    ),
    Country(
        "IN", 0.015, "USD", european=False,
        cities=_words("Pune Coimbatore Ludhiana Rajkot Faridabad"),
        first=_words("Surya Chandra Vara Deva Ananda Maha Jaya Nava"), second=_words("priya tara lakshya gupta nandan varsh shakti deep"),
        trades=_TRADES_EN, forms=("Pvt. Ltd.", "Ltd."), terms=_TERMS_SOUTH, month_end=0.05, identify=identifiers.indian,
    ),
    Country(
        "AU", 0.01, "USD", european=False,
        cities=_words("Newcastle Geelong Wollongong Adelaide"),
        first=_words("Gum Coral River Sandy Blue Ridge Bay Outback"), second=(" Creek", " Flat", " Point", " Hills", " Station", " Gate", " Reach", " Plains"),
        trades=_TRADES_EN, forms=("Pty Ltd",), terms=_TERMS_OVERSEAS, month_end=0.30, identify=identifiers.australian,
    ),
    Country(
        "BR", 0.01, "USD", european=False,
        cities=("Joinville", "Campinas", "Curitiba", "Caxias do Sul"),
        first=_words("Serra Monte Campo Rio Vale Pedra Mata Ponte"), second=_words("verde alto claro novo grande dourado azul belo"),
        trades=("Máquinas", "Eletrônica", "Autopeças", "Materiais", "Têxtil", "Química", "Alimentos", "Comercial"),
        forms=("Ltda.", "S.A."), terms=_TERMS_SOUTH, month_end=0.05, identify=identifiers.brazilian,
    ),
)  # fmt: skip
