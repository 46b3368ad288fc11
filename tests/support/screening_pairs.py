"""Names of firms that are the same and names that only look it: the labelled set by which the screening rule is measured. All of them are made up."""

from __future__ import annotations

SAME = (
    ("Hohenbach Elektronik GmbH", "HOHENBACH ELEKTRONIK"), ("Hohenbach Elektronik GmbH", "Elektronik Hohenbach Gesellschaft"), ("Müller & Söhne Maschinenbau AG", "Mueller Soehne Maschinenbau"),
    ("Rochepré Électronique SARL", "ROCHEPRE ELECTRONIQUE S.A.R.L."), ("Zarkovia Shipping Co., Ltd.", "ZARKOVIA SHIPPING COMPANY LIMITED"), ("Zarkovia Shipping Co., Ltd.", "Zarkoviya Shipping Ltd"),
    ("Al-Rashidi General Trading LLC", "AL RASHIDI GENERAL TRADING"), ("Al-Rashidi General Trading LLC", "ALRASHIDI GENERAL TRADING L.L.C."), ("Severnaya Zvezda OOO", "SEVERNAYA ZVEZDA LLC"),
    ("Nordlicht Petrochemicals Pte Ltd", "NORDLICHT PETROCHEMICAL PTE. LTD."), ("Kimbala Mining Corporation", "Kimbala Mining Corp."), ("Tecnomar Navigazione S.p.A.", "TECNOMAR NAVIGAZIONE SPA"),
    ("Orbita Avionics JSC", "JSC ORBITA AVIONICS"), ("Petrolux Energy Trading FZE", "PETROLUX ENERGY TRADING FZCO"), ("Vasilkov Heavy Engineering Plant", "VASILKOV HEAVY ENGINEERING PLANT PJSC"),
    ("宁波欣原机械设备有限公司", "寧波欣原機械設備有限公司"), ("宁波欣原机械设备有限公司", "宁波欣原机械设备有限责任公司"), ("宁波欣原机械设备有限公司", "欣原机械设备（宁波）有限公司"), ("宁波欣原机械设备有限公司", "浙江宁波欣原机械有限公司"),
    ("佛山拓凯建材有限公司", "佛山市拓凯建材有限公司"), ("佛山拓凯建材有限公司", "拓凯建材有限公司"), ("上海泓睿国际贸易有限公司", "上海泓睿贸易有限公司"), ("深圳蓝海芯科技股份有限公司", "深圳市藍海芯科技股份有限公司"),
    ("江苏恒润德钢铁集团有限公司", "恒润德钢铁集团有限公司"), ("青岛远洋通达物流有限公司", "青岛远洋通达物流有限公司北京分公司"), ("广州盛昌隆纺织品有限公司", "广州盛昌隆纺织有限公司"),
)  # fmt: skip
OTHER = (
    ("Hohenbach Elektronik GmbH", "Hohenberg Elektronik GmbH"), ("Hohenbach Elektronik GmbH", "Hohenbach Logistik GmbH"), ("Zarkovia Shipping Co., Ltd.", "Moravia Shipping Co., Ltd."),
    ("Global Trading LLC", "Golden Trading LLC"), ("Al-Rashidi General Trading LLC", "Al-Rashidi Contracting LLC"), ("Eastern Star Shipping Ltd", "Eastern Sea Shipping Ltd"),
    ("Nordlicht Petrochemicals Pte Ltd", "Südlicht Petrochemicals Pte Ltd"), ("Kimbala Mining Corporation", "Kimbala Foods Corporation"), ("Orbita Avionics JSC", "Orbita Hotels JSC"),
    ("Petrolux Energy Trading FZE", "Petronas Energy Trading FZE"), ("Tecnomar Navigazione S.p.A.", "Tecnocar Autonoleggio S.p.A."), ("Silver Line Transport GmbH", "Silver Lake Transport GmbH"),
    ("United Steel Works Ltd", "United Wheel Works Ltd"), ("Pacific Import Export Co", "Atlantic Import Export Co"), ("Vasilkov Heavy Engineering Plant", "Vasilkov Bakery Plant"),
    ("宁波欣原机械设备有限公司", "宁波鑫源机械设备有限公司"), ("宁波欣原机械设备有限公司", "宁波欣源机械设备有限公司"), ("宁波欣原机械设备有限公司", "佛山欣原建材有限公司"), ("宁波欣原机械设备有限公司", "宁波欣原食品有限公司"),
    ("佛山拓凯建材有限公司", "佛山凯拓建材有限公司"), ("佛山拓凯建材有限公司", "佛山拓展建材有限公司"), ("上海泓睿国际贸易有限公司", "上海泓瑞国际贸易有限公司"), ("上海泓睿国际贸易有限公司", "上海鸿运国际贸易有限公司"),
    ("深圳蓝海芯科技股份有限公司", "深圳蓝海科技股份有限公司"), ("江苏恒润德钢铁集团有限公司", "江苏恒润通钢铁集团有限公司"), ("青岛远洋通达物流有限公司", "青岛远洋物流有限公司"), ("广州盛昌隆纺织品有限公司", "广州盛昌达纺织品有限公司"),
    ("北京华信科技有限公司", "北京华新科技有限公司"), ("北京华信科技有限公司", "上海华信贸易有限公司"),
)  # fmt: skip
