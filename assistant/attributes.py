"""What kind of thing a question asks for (a sum, a date, votes …), and whether a text holds one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from assistant.question import Question

_NUMERAL: Final = r"[0-9〇零一二三四五六七八九十百千万亿两]"
#: The commonest family names and double ones; who bears another is found by nothing here, so that
#: the question for a name may be refused.
_FAMILY_NAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖"
    "石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫雷龙史陶贺毛段郝顾龚邵万覃武钱戴严莫孔向常汤"
    "梅翁邢裴翟柏窦苗葛奚岑倪滕殷毕卞祁狄臧庞项祝阮闵席季娄童颜骆樊凌霍虞柯裘缪宗郁杭洪包诸左吉钮嵇蓝纪舒屈"
)
#: Family names that are common words after a post as well: 书记向大会, 代表高度评价.
_WORDS_TOO: Final = "高向任常方万于江金程白龙武左包项席"
#: A name stands alone, or behind a post.
_PERSON: Final = (
    rf"(?:^|[、,。;:：\s(（“]|长|任|记|员|表|志|授|生|士|命|免去|选举|补选)(?:[{_FAMILY_NAMES}]|欧阳|诸葛|司马|上官)[\u4e00-\u9fff]{{1,2}}"
    r"(?=$|[、,。;:：\s)）”]|同志|代表|委员|等|为|任|主持|作|同|各位|第[一1]|[一二]、)"
    rf"|(?:书记|主任|代表|委员|主席|经理|[省市州县区镇乡局厅部处科院校会事队站所]长)(?![{_WORDS_TOO}])(?:[{_FAMILY_NAMES}])[\u4e00-\u9fff]{{1,2}}"
    # 财政局长芦继云各位代表: before the address any family name.
    r"|(?:书记|主任|主席|[省市州县区局厅部院]长)[\u4e00-\u9fff]{2,3}(?=各位)"
)
_PROVINCES: Final = (
    "北京|天津|河北|山西|内蒙古|辽宁|吉林|黑龙江|上海|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|广西|海南|重庆|四川|贵州|云南|西藏"
    "|陕西|甘肃|青海|宁夏|新疆|台湾|香港|澳门"
)
#: A sum of money; 单位:万元 is none.
_MONEY: Final = r"[0-9〇零一二三四五六七八九十百千两几数上][0-9,.〇零一二三四五六七八九十百千]*(?:多|余|几)?[万亿]*(?:多|余)?(?:元|块)"
#: Cells of a table: their heading tells what the figures are, and stands elsewhere.
_CELLS: Final = r"[0-9][0-9,.]*(?: *\| *| +)-?[0-9][0-9,.]*"
#: What a question asks for, and what must then stand in the text for it to be an answer.
_ATTRIBUTES: Final = tuple(
    (re.compile(asked), re.compile(needed))
    for asked, needed in (
        (r"电话(?:号码|是|多少|和|、)|联系电话|手机号|联系方式|手机(?:是多少|有没有|多少)|微信号?(?:是|多少|有没有)", r"[0-9]{3,4}-[0-9]{7,8}|1[0-9]{10}|[0-9]{7,8}"),
        (r"(?:打|拨)(?:哪个|什么|多少)(?:号|电话|热线)|(?:热线|专线)(?:电话)?是(?:多少|什么|哪)", r"(?<![0-9])(?:1[0-9]{2}|1[0-9]{4}|9[0-9]{4})(?![0-9元年人户件])|[0-9]{7,8}"),
        (r"地址(?:是|在|为)?(?:哪|什么|多少)|(?:住|办公)(?:址|地点)", r"地址[:：]|[路街道巷].{0,6}[0-9〇零一二三四五六七八九十百]+号|号楼"),
        (r"(?:哪个|哪所|什么|啥)(?:大学|学校|院校|学院)(?:毕业|出来|读|念|上)|(?:什么|啥|多高的?)(?:学历|文凭|学位)|学历(?:是|多)", r"毕业|学历|学位|本科|研究生|博士|硕士|大专|中专|文化程度"),
        (r"(?:哪里|哪儿|什么地方|啥地方)(?:的)?人(?:[,，。？?氏]|$)|籍贯|老家(?:是|在)?哪", rf"籍贯|(?:[省市县州旗]|(?:{_PROVINCES})[\u4e00-\u9fff]{{0,6}})人(?:[,，。;；]|$)|出生|生于|祖籍"),
        (r"是哪(?:位|一位|个)(?:领导(?!小组)|同志|干部)[？?。]*$", rf"{_PERSON}|担任|兼任|由.{{2,10}}任|(?:长|书记|主任)[{_FAMILY_NAMES}]|出席|讲话|带队|分管|批示"),
        (r"(?:一把手|负责人|带头人|当家人|董事长|经理|[局处科厅院校区县市镇乡队组社村]长|书记|主任|主席|总工)(?:是|叫|姓)?(?:谁|哪[位个]|(?:啥|什么)名)[?？。]*$", rf"{_PERSON}|负责人|责任人|担任|兼任|牵头|轮流"),
        (r"(?:由|是)(?:谁|哪位)[^,，。？?]{0,6}(?:作的?报告|报告|宣读|汇报|带队|带着|领着)", rf"{_PERSON}|[局处科厅院校区县市镇乡队组会社村]长|书记|主任|主席|代表|委员|部门|局|委|机构|人员|组织|单位|员|受.{{2,14}}委托"),
        (r"历任|历届.{0,12}(?:谁|名单|哪些人)", r"历任|历届|任职"),
        (
            r"(?:[市县区省局厅部院校队科处]长|主任|书记|主席|代表|委员|[人咨]?[员手师生]|同志|记者|人)(?:们)?(?:都|各|分别|又)?(?:是)?(?:叫(?:什么|啥)|姓(?:甚|啥|什么))"
            r"|人的?名单|列(?:个|一?下|出|一?份)名单|名单(?:给我|都?列|挨个|逐个|[^,，。？?]{0,4}(?:念|报)(?:一下|出来|给))|哪些人(?:[,，。？?]|$)",
            _PERSON,
        ),
        # Who came after: that somebody left tells of no successor.
        (r"(?<!交)接(?:了)?(?:他|她|谁)?的?班(?![子车人])|接[任替](?:他|她|的|者|人)|继任|谁(?:来)?接(?:他|她|任|替|棒)|下一任(?![务期])", r"任命|当选|选举|选为|代理|接任|接替|继任|补选|提名|[任为][\u4e00-\u9fff]{2,20}(?:长|主任|书记)"),
        (r"多大(?:年纪|岁数)(?:了|[,，。？?]|$)|今年多大|年龄多大|(?:哪|什么)年(?:出)?生(?:的|人)", r"岁|出生|生于|年[0-9]{1,2}月生|年龄"),
        # 为啥给免的: that somebody was removed tells no reason.
        (r"(?:因为啥|因为什么|为什么|为啥|什么原因|啥原因)[^,，。？?]{0,6}(?:免(?:了|去|职|的)|辞(?:职|去|了|的)|撤职|调(?:离|走)|离(?:职|任)|走的|下台|不(?:干|当|做|再担任)[^,，。？?]{0,10}了)|(?:免职|辞职|撤职|离任)[^,，。？?]{0,6}(?:的原因|为啥|为什么|因为啥)", r"因(?!此|而)|原因|由于|鉴于|到龄|年龄|退休|身体|健康|工作(?:变动|需要)|违[纪法]|本人(?:申请|提出)"),
        (r"^(?!.*(?:哪几点|百分之几点)).*(?:(?:早[上晨]|晚上|夜里|半夜|[上下中]午|凌晨|每天|从|到|打)[^,，。？?]{0,6}几点|几点(?:钟|可以|能(?!力)|以?[前后]|之[前后]|开始|到几点|[关开]门|播|才|起|止))(?!要求|意见|建议)", rf"{_NUMERAL}+(?:时|点)(?!候|代)|[0-9]:[0-9]|日[出落]|清晨|[上下中]午|晚上|小时|全天"),
        (r"(?:几|多少)分(?![钟之钱会局支散包歧类公])", rf"{_NUMERAL}+分(?!之|别|类|工|期|批)|分值?[^。]{{0,8}}[0-9]|[0-9]%|[(（][0-9]+[)）]|{_CELLS}"),
        (r"^(?!.*(?:[几多][天久]|多少|怎么|咋|哪|谁)).*(?:满不满意|满意(?:吗|么|没(?!有)))", r"满意|感谢|同意|认可|肯定|优秀|称职|票|无意见"),
        (r"(?:多少|几个?)(?:人|委员|代表)(?:到|出席)?[^,，。？?]{0,4}(?:算数|才能开|才算|开得成)", rf"半|分之|以上|多数|%|少于|{_NUMERAL}+(?:名|人|位)"),
        (r"^(?!.*(?:[几多][大少久天号]|几[个年月]|谁|哪|怎么|咋|啥|什么)).*(?:(?:有没有|有无|给不给|发不发)[^,，。？?]{0,6}(?:补贴|补助|奖励|报酬|奖金|津贴|误工费)|(?:有|给|拿|领|发)[^,，。？?]{0,4}(?:补贴|补助|奖励|报酬|奖金|津贴|误工费)(?:吗|么|没有?|不))[?？]*$", r"元|钱|资金|经费|费|奖|补|贴|酬|津|偿|薪|待遇|减|免|表彰|表扬|称号|出勤|支持|负担|保障"),
        (r"几票|得票|票数|多少(?:张)?(?:赞成|反对|弃权)?票|赞成.{0,8}反对", rf"{_NUMERAL}+票"),
        (r"罚(?:款)?(?:个|他|我)?(?:几[百千万块十]|多少(?:钱|元|块))", rf"罚.{{0,20}}{_MONEY}|{_MONEY}.{{0,12}}罚|{_NUMERAL}倍|%|百分之"),
        (r"(?:水位|海拔)?多(?:高|深|宽)(?!的?(?:学历|文凭))", rf"{_NUMERAL}(?:米|公里|千米|厘米|公分|公尺|里|层)|[0-9]m"),
        (r"罚.{0,4}(?:多少|几)|罚款.{0,6}多少|罚得?(?:更|最|还是)?(?:狠|重|轻|厉害)", rf"{_NUMERAL}元|{_NUMERAL}倍|%|百分之|没收|警告|拘留|收费额"),
        (r"怎么(?:处)?罚|罚不罚", r"罚|没收|警告|拘留|收费额"),
        # 举报给多少奖金: neither a fine nor that there is a reward is an answer.
        *((rf"{said}[^,，。？?]{{0,8}}?(?:多少(?=[钱元块万亿]|[^\u4e00-\u9fff]|$|才|呢|啊|呀|吧|了(?![\u4e00-\u9fff])|合适)|几(?:百|千|万)?(?:块|毛|元)|几(?:百|千|万)(?![\u4e00-\u9fff]))|(?:多少|几[百千万块毛]+)(?:钱|元|块)?的?{said}",
           rf"(?:{told})[^。;]{{0,60}}?(?:{_MONEY}|[0-9]%|百分之)|(?:{_MONEY}|[0-9]%|百分之)[^。;]{{0,40}}?(?:{told})|{_CELLS}|{free}")
          for said, told, free in (
              (r"(?:奖金|奖励|发奖|给奖)", "奖", "$^"),
              (r"(?:补贴|补助|补偿|津贴|误工[费钱]?|高龄钱|育儿钱)", "补|贴|助|津|偿|误工|资金|经费", "不[补贴]|据实|实际"),
              (r"(?:管理费|服务费|物业费|资源费|处理费|保护费|中介费|使用金|工本费)", "费|金", "免[费收交缴]|不收|不得收|不[交缴]费|免征"),
          )),
        (r"(?:一|每)(?:平米|平方米|平方|平|方|立方|度|吨|个?月|人|户|次|斤|亩|公里|支|张|件|针)[^,，。]{0,8}(?:多少钱|收多少|多少元|几块)", _MONEY),
        (r"第几([条款项章节])", r"第[0-9〇零一二三四五六七八九十百]+[条款项章节]"),
        (r"调(?:到|去|任|往)了?(?:哪|什么)|(?:去|到)了?哪(?:儿|里|个)?(?:单位|部门|地方)?(?:当|任|做|工作)", r"调任|调到|调往|出任|担任|履新|任职"),
        (
            r"^(?!.*(?:[改动修]过|修[改订正])).*(?:哪(?:一)?[天年月]|什么时候|啥时候|何时|几月几[日号]|几号)(?:起|开始|正式)*(?:施行|实施|生效|起效|执行|起用)|(?:从|自|打)哪(?:一)?[天年月]起(?:管用|算数|作数)|(?:施行|实施|生效)(?:的?日期|时间|日)",
            r"(?:自|从|于|[年月日]起?).{0,20}(?:施行|实施|生效|起用)|(?:施行|实施|生效)(?:日期|时间|之日)",
        ),
        (
            r"多少钱|几块钱|花多少|多少元|收多少费|(?:(?<!消)费|门票|票价|价格|租金|押金)[^,，。]{0,6}(?:收|要|[交缴]|是)多少(?!号)",
            rf"{_MONEY}|%|百分之|免[费收交缴]|不收|不得收|不[交缴]费",
        ),
        (r"成本|造价", r"[0-9一二三四五六七八九十百千万]+(?:多|余)?(?:万|亿)?元|成本|造价"),
        (r"第一名|冠军|(?:拿|得|获|夺)了?(?:个)?第[一二三]|名次|排第几|第几名|谁赢", r"第[一二三四五六七八九十]名|冠军|亚军|季军|[一二三]等奖|首位|名列|排名|第[0-9]+|前列|获胜|夺"),
        (r"(?:原来|以前|之前|从前|过去|早先).{0,8}(?:当|做|任|干).{0,6}(?:书记|主任|[局处科厅省市县区院校会]长|官|职)", r"原任|曾任|曾在|历任|前任|此前|原.{2,14}(?:书记|主任|长)"),
        (r"率(?:是|为|有|达)?多少|百分之几|占比|比例(?:是|为)?多少", rf"[0-9]%|[百几一二三四五六七八九十]分之|率|{_CELLS}"),
        (r"哪(?:一)?年(?!度)", r"[0-9〇零○一二三四五六七八九]{4}|[今去前当同次近本上][一两几]?年|[0-9]{2}年|年[度代间底初]|世纪|时期|期间|届|周年|五|[一二三四五六七八九十元]年(?!级|来)|每[0-9一二三四五六七八九十]*年"),
        (
            r"哪(?:一)?[天年月]|什么时候|啥时候|何时|几号(?!文|建|议|提)|几月",
            rf"[0-9]年|[0-9]月|[0-9]日|[〇零○一二三四五六七八九]年|(?<!个)[一二三四五六七八九十]月|每[年月周]|期间|年初|年底|{_NUMERAL}个?(?:工作)?(?:小时|日|天|月|年)(?:以前|以内|之内|之前|以后|[内前后])|半年",
        ),
        (r"(?<![那这前后头好])几天|多久|多长时间|几个月|几年|多少天|几分钟|几秒", rf"{_NUMERAL}个?(?:工作)?(?:日|天|月|年|小时|分钟|秒|周|季)|每个?(?:年|月|季|日|周)|半(?:年|个?月|天)|按季|几天|终身|永久|长期|无限期|一辈子|不限"),
    )
)  # fmt: skip
#: A quantity and its unit, in words about the question (几只) and in the text (三只).
_ASKED_QUANTITY: Final = re.compile(
    r"(?:(?<!号)(?<!号是)(?<!码是)多少(?!号)|(?<![哪第好这那前后十])几)(?:万|亿)?(人次|平方米|平方公里|公里|公顷|周岁|支(?![出付持援部撑])|[个件部条户人级次名位所项家处座辆台套届期票岁倍份卷页只场起吨亩米枚株棵张艘架栋幢间颗]|方(?![面案式法针向代意]))?"
)
_MAY_ONE: Final = re.compile(
    r"[^，,。？?]{0,12}(?:[不吗么没]|([行成许让准])不\1|可不可以)(?:[，,。？?(（]|$)"
)
#: 废了几部老法规，都是啥: they are wanted by name; the text need not count them.
_ENUMERATED: Final = re.compile(r"(?:都|分别|各)(?:是|有|叫)?(?:些)?(?:啥|什么|哪|谁)")
#: 能不能带上几个初中生: some, not how many.
_MAY_SOME: Final = re.compile(r"(?:能不能|可不可以|能否|可否|准不准|行不行)[^，,。？?最]{0,6}$")
#: What may stand for a unit in the text; a unit not named here stands for itself.
_SAME_UNIT: Final = {
    unit: group
    for group in ("人|名|位|户|人次", "家|个|所|户", "部|件|项|个", "条|只|头|款|项|件|艘", "次|回|场|届|期", "起|件|宗|次", "棵|株|颗", "栋|幢|座", "辆|台|部", "间|个|处", "方|立方", "枚|个|件", "张|份|个", "米|公里|千米", "亩|公顷")
    for unit in group.split("|")
} | {"岁": "周?岁", "周岁": "周?岁"}  # fmt: skip
#: Figures that count nothing: dates, numbers of articles and items, names with a number in them.
_NO_QUANTITY: Final = re.compile(
    r"[0-9〇零○一二三四五六七八九]{4}年(?:度)?(?:[0-9]{1,2}月)?(?:[0-9]{1,2}日)?|[0-9]{1,2}月[0-9]{1,2}日"
    r"|第[0-9〇零一二三四五六七八九十百千]+(?:[条款项章节编届次号期批]|[a-z])?"
    r"|[(（][0-9一二三四五六七八九十]{1,3}[)）]|[一二三四五六七八九十]{1,3}、|[〔(\[][0-9]{4}[〕)\]][0-9]*号?"
)
#: Who wrote a piece of news is nobody in it.
_BYLINE: Final = re.compile(
    r"[(（](?:本报|通讯员|记者|实习生|作者|编辑)[^()（）]{1,40}[)）]|(?:记者|通讯员|实习生|编辑)[ _:：]?[\u4e00-\u9fff]{2,3}(?![\u4e00-\u9fff])"
)
#: When a report was made to a sitting is the date of nothing it tells of.
_MASTHEAD: Final = re.compile(
    r"[-—]{1,2}[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日在[^。;]{2,40}?(?:会议|大会)上"
)
_WHEN: Final = re.compile("哪一?[天年月日]|[什啥]么?时候|何时|几[月号]")
_OF_SITTING: Final = re.compile(
    "报告|汇报|宣读|听[的取]|提交|提请|审查|表决|讲|会议|大会|人代会|常委会|开会|通过|审议|[作做]的|谁|署名|叫什么"
)
#: A price or a sum is no fine, and what somebody spent is not what is free of charge.
_FINE: Final = re.compile(r"[^。;,，]*罚[^。;，,]*")
#: 被环保查住要交多少钱: a fine, whatever it is called.
_CAUGHT: Final = re.compile(
    r"罚|[逮抓][着住到]|查[住着到出]|让[^,，。？?]{0,4}(?:逮|抓|查|拦)|被[^,，。？?]{0,4}(?:查|抓|逮|拦)"
)
_PRICE: Final = re.compile(r"多少钱|几块钱|花多少|多少元")
_SPENT: Final = re.compile(r"花|投入|拨|贴|补|发|奖|给")
_FREE: Final = re.compile(r"免[费收交缴]|不收|不得收|不[交缴]费")
#: A stretch of time is an amount of nothing else.
_DURATION: Final = re.compile(rf"{_NUMERAL}+[多余几]?(?:个月|周|天|日|年|小时|分钟|个工作日)")
_TIMED: Final = re.compile("个?(?:工作)?[年月周天日]|个?(?:小时|钟头)|钟头|分钟|秒|时间")
_PERCENTAGE: Final = re.compile(rf"[0-9.]+(?:%|个百分点)|百分之{_NUMERAL}+")
#: Answers to how many without a figure of their own.
_SHARE: Final = re.compile(r"分之|过半|半数|全部|全体|无限|不限")
_FIGURE: Final = (
    r"(?:[0-9][0-9,.]*|[〇零一二三四五六七八九十百千两]+)(?:余|多|几)?(?:[百千]?[万亿])?(?:余|多)?"
)
#: Chinese numerals stand in too many words (统一, 一个) to count without a unit.
_ANY_QUANTITY: Final = re.compile(
    r"[0-9]|(?:[二三四五六七八九十百千两][〇零一二三四五六七八九十百千万]*|一[十百千万])"
    r"(?:余|多)?[万亿]?(?:[个件部条户人级次名位所项家处座辆台套倍份卷页只支场吨亩米元厘毫克斤小天成度层]|平方|公[斤里顷分升克尺]|%)|百分之"
)


#: What a sentence says that answers, where the question says what somebody did, why or since when;
#: and the log-odds a sentence loses that does not, when another does.
_TELLING: Final = tuple(
    (re.compile(asked), re.compile(told), loss)
    for asked, told, loss in (
        (r"谁(?:来)?主持|主持(?:人|的)?是(?:谁|哪)", r"主持", 2.5),
        (r"谁(?:来)?牵头|哪(?:个|家).{0,6}牵头|牵头(?:的|单位)?是", r"牵头", 2.5),
        (r"谁(?:来)?(?:宣读|宣布)", r"宣读|宣布", 2.5),
        (r"谁(?:来)?(?:作|做)的?(?:报告|说明|讲话|发言)", r"作(?:了|的)?.{0,30}(?:报告|说明|讲话|发言)|报告人|说明", 2.5),
        (r"谁(?:来)?(?:监督|负责|管|监管)(?:[,，。？?]|$)", r"负责|主管|监督管理|管理", 1.5),
        (r"(?:哪些|哪几[部个件]?|什么|哪[部个件])(?:地方性)?(?:法规|条例|规定|办法|法律)(?![里中的])", r"《[^》]+》", 2.0),
        (r"哪(?:一)?年(?:出)?生|什么时候(?:出)?生|多大(?:年纪|岁数|了)|(?:大学|学校)[^，,。]{0,4}(?:哪|念|读|上)|(?:哪|什么|啥)[^，,。]{0,4}(?:大学|学校)", r"出生|生于|年[0-9]{1,2}月生|毕业|就读|大学|学院", 2.5),
        (r"(?:给不给|给没给|有没有|有无|能不能|可以)[^,，。？?]{0,6}(?:[领拿要申]{0,2}请?)(?:贴钱|贴补|补贴|补助|资助|奖励|钱拿)", r"补贴|补助|补偿|资助|资金|奖励|扶持|补", 1.5),
        (r"为什么|为啥|为何|什么原因|啥原因|怎么回事|原因是", r"因|由于|鉴于|为了|原因|考虑|以便|所致|造成", 1.5),
        (r"^(?!.*(?:[改动修]过|修[改订正])).*(?:(?:打|从|自)哪(?:一)?[年天月]|哪(?:一)?[年天月](?:起|开始|开头))", r"[年月日]起|起(?:施行|实施|执行|暂)|(?:自|从|于).{4,14}(?:开始|施行|实施|执行)|开始", 1.5),
    )
)  # fmt: skip


def telling(question: Question) -> tuple[re.Pattern[str], float] | None:
    """What a sentence should say to answer who did a thing, why or since when.

    Returns:
        The pattern and the log-odds a sentence loses without it; None for other questions.
    """
    found = ((told, loss) for asked, told, loss in _TELLING if asked.search(question.form))
    return next(found, None)


@lru_cache(maxsize=1024)
def _needed(asked: str) -> re.Pattern[str] | None:
    """What must stand in an answer, by the first kind of thing that a question asks for."""
    return next((needed for kind, needed in _ATTRIBUTES if kind.search(asked)), None)


def attribute_present(question: Question, form: str) -> bool:
    """Whether a text holds the kind of thing a question asks for (a sum, a date, votes …).

    True when the question asks for nothing that can be told by its form. A figure of the question's
    own, a date or the number of an article is no quantity.
    """
    if _PRICE.search(question.form) and not _CAUGHT.search(question.form):
        form = _FINE.sub(" ", form)
        if _SPENT.search(question.form):
            form = _FREE.sub(" ", form)
    form = _BYLINE.sub(" ", form)
    needed = _needed(question.form)
    if _WHEN.search(question.form) and not _OF_SITTING.search(question.form):
        form = _MASTHEAD.sub(" ", form)
    if needed is not None:
        return bool(needed.search(form))
    wanted = _ASKED_QUANTITY.search(question.form)
    # 能栽几棵杨树不: may one, not how many.
    if (
        wanted
        and "几" in wanted.group()
        and (
            _MAY_ONE.match(question.form, wanted.end())
            or _MAY_SOME.search(question.form[: wanted.start()])
        )
    ):
        return True
    if wanted is None or not (wanted.group(1) or "多少" in wanted.group()):
        return True
    if _ENUMERATED.search(question.form, wanted.end()):
        return True
    text = _NO_QUANTITY.sub(" ", form)
    unit = wanted.group(1)
    if unit is None and wanted.group()[-1] in "万亿":
        # 花了多少亿: neither a rate of growth nor a stretch of time is an amount.
        return bool(_ANY_QUANTITY.search(_PERCENTAGE.sub(" ", _DURATION.sub(" ", text))))
    if _SHARE.search(form):
        return True
    # 几个 counts anything: 个 is the measure word of those who do not choose one.
    if unit is None or unit == "个":
        if _TIMED.match(question.form, wanted.end()):
            found = _DURATION.search(text) or _ANY_QUANTITY.search(text)
        else:
            found = _ANY_QUANTITY.search(_DURATION.sub(" ", text))
        return bool(found or (unit and re.search(rf"{_FIGURE}个", text)))
    if "万" in wanted.group() and re.search(r"[0-9]万(?![\u4e00-\u9fff])", text):
        return True
    figures = re.finditer(rf"({_FIGURE})(?:个)?(?:{_SAME_UNIT.get(unit, unit)})(?!例)", text)
    return any(match.group() not in question.form for match in figures)
