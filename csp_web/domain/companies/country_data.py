"""Facts about countries' addresses: postal codes, states, registration numbers. Data only; `countries` applies it.

A postal code's shapes are separated by "|": "#" is a digit, "@" a letter, the rest stands for itself;
blanks and hyphens may be left out when typing. Countries that are not listed take any postal code or none.
"""

from typing import Final

_REGISTERED = "AM AZ BY BR HU IN IQ KZ KG MD MM PL RU SA ZA SS TJ TH TR UA AE UZ VE VN"
REGISTRATION_NUMBER_REQUIRED: Final = frozenset(_REGISTERED.split())

NO_CITY: Final = frozenset({"GI", "HK", "MC", "MO", "SG", "VA"})

_OPTIONAL = (
    "AR AZ BD BY CL CO CR DO EC EG GE GT HN ID IE IL IQ IR JO KE KH KW KZ LB LK MA MM MN NG NI NP OM "
    "PA PE PK PY SA SV TH TJ TM TN UY UZ VE VN"
)
POSTAL_CODE_OPTIONAL: Final = frozenset(_OPTIONAL.split())

POSTAL_CODES: Final[dict[str, str]] = {
    "AD": "AD###",
    "AL": "####",
    "AM": "####",
    "AR": "####|@####@@@",
    "AT": "####",
    "AU": "####",
    "AZ": "AZ ####|####",
    "BA": "#####",
    "BD": "####",
    "BE": "####",
    "BG": "####",
    "BR": "#####-###",
    "BY": "######",
    "CA": "@#@ #@#",
    "CH": "####",
    "CL": "###-####",
    "CN": "######",
    "CO": "######",
    "CR": "#####",
    "CY": "####",
    "CZ": "### ##",
    "DE": "#####",
    "DK": "####",
    "DO": "#####",
    "DZ": "#####",
    "EC": "######",
    "EE": "#####",
    "EG": "#####",
    "ES": "#####",
    "FI": "#####",
    "FR": "#####",
    "GB": "@# #@@|@## #@@|@@# #@@|@@## #@@|@#@ #@@|@@#@ #@@|GIR #@@",
    "GE": "####",
    "GR": "### ##",
    "GT": "#####",
    "HN": "#####",
    "HR": "#####",
    "HU": "####",
    "ID": "#####",
    "IE": "@## @@@@|@## @@@#|@## @@##|@## @#@@|@## @#@#|@## @##@|@## @###|@#W @@@@|@#W @@@#|@#W @@##|@#W @#@@|@#W @#@#"
    "|@#W @##@|@#W @###",
    "IL": "#######|#####",
    "IN": "### ###",
    "IQ": "#####",
    "IR": "#####-#####",
    "IS": "###",
    "IT": "#####",
    "JO": "#####",
    "JP": "###-####",
    "KE": "#####",
    "KG": "######",
    "KH": "######|#####",
    "KR": "#####",
    "KW": "#####",
    "KZ": "######|@##@#@#",
    "LB": "#### ####|####",
    "LI": "####",
    "LK": "#####",
    "LT": "LT-#####|#####",
    "LU": "####",
    "LV": "LV-####|####",
    "MA": "#####",
    "MC": "#####",
    "MD": "MD-####|####",
    "ME": "#####",
    "MK": "####",
    "MM": "#####",
    "MN": "#####",
    "MT": "@@@ ####",
    "MX": "#####",
    "MY": "#####",
    "NG": "######",
    "NI": "#####",
    "NL": "#### @@",
    "NO": "####",
    "NP": "#####",
    "NZ": "####",
    "OM": "###",
    "PA": "####",
    "PE": "#####",
    "PH": "####",
    "PK": "#####",
    "PL": "##-###",
    "PR": "#####|#####-####",
    "PT": "####-###",
    "PY": "####|######",
    "RO": "######",
    "RS": "#####",
    "RU": "######",
    "SA": "#####|#####-####",
    "SE": "### ##",
    "SG": "######",
    "SI": "####",
    "SK": "### ##",
    "SM": "#####",
    "SV": "####",
    "TH": "#####",
    "TJ": "######",
    "TM": "######",
    "TN": "####",
    "TR": "#####",
    "TW": "###|#####|######",
    "UA": "#####",
    "US": "#####|#####-####",
    "UY": "#####",
    "UZ": "######",
    "VA": "#####",
    "VE": "####",
    "VN": "######|#####",
    "ZA": "####",
}

POSTAL_CODE_EXAMPLES: Final[dict[str, str]] = {
    "AR": "C1070AAM",
    "AU": "2000",
    "AZ": "AZ 1000",
    "BR": "01310-100",
    "BY": "220030",
    "CA": "K1A 0B1",
    "CH": "8001",
    "CN": "100000",
    "DE": "10115",
    "FR": "75001",
    "GB": "SW1A 1AA",
    "ID": "10110",
    "IE": "D02 X285",
    "IN": "110 001",
    "JP": "100-0001",
    "KR": "04524",
    "KW": "13001",
    "KZ": "010000",
    "LI": "9490",
    "MX": "06000",
    "MY": "50000",
    "NL": "1012 AB",
    "PL": "00-950",
    "RU": "101000",
    "SA": "11564",
    "TR": "34000",
    "TW": "100",
    "UA": "01001",
    "US": "98052",
    "ZA": "0001",
}

STATES: Final[dict[str, str]] = {
    "AU": "ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|SA South Australia|"
    "TAS Tasmania|VIC Victoria|WA Western Australia",
    "BR": "AC Acre|AL Alagoas|AP Amapá|AM Amazonas|BA Bahia|CE Ceará|DF Distrito Federal|ES Espírito Santo|GO Goiás|"
    "MA Maranhão|MT Mato Grosso|MS Mato Grosso do Sul|MG Minas Gerais|PA Pará|PB Paraíba|PR Paraná|PE Pernambuco|"
    "PI Piauí|RJ Rio de Janeiro|RN Rio Grande do Norte|RS Rio Grande do Sul|RO Rondônia|RR Roraima|SC Santa Catarina|"
    "SP São Paulo|SE Sergipe|TO Tocantins",
    "CA": "AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|"
    "NT Northwest Territories|NS Nova Scotia|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|"
    "YT Yukon",
    "US": "AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|"
    "DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|"
    "KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|"
    "MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|"
    "ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|PR Puerto Rico|RI Rhode Island|SC South Carolina|"
    "SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|"
    "WY Wyoming|AS American Samoa|GU Guam|MP Northern Mariana Islands|VI U.S. Virgin Islands|"
    "AA Armed Forces Americas|AE Armed Forces Europe|AP Armed Forces Pacific",
}

# What stands beside a company's name and is none by itself, without punctuation and in lower case.
_FORMS = (
    "ab ag as aş aps asa bhd bv co company corp corporation cv doo dd eg ehf ek eood eurl ev fze fzco "
    "gbr gmbh inc incorporated jsc kabushiki kaisha kft kg kgaa kk lda limited limitada llc llp lp "
    "ltd ltda şti nv nyrt oao ohg oü ooo ou oy oyj pao plc pllc pte pty pvt sa sal sàrl sarl sas sdn "
    "se sia sl slu sp spa spółka srl sro sti tov uab ug zao zrt z o oo ао зао оао ооо пао ип чп тов "
    "тоо тдв фоп пат прат одо оаэ уп чуп мчж мчс оод еоод "
    "株式会社 有限会社 合同会社 有限公司 股份有限公司 有限责任公司 주식회사 유한회사"
)
LEGAL_FORMS: Final = frozenset(_FORMS.split())
