"""Requests the system never serves, told by their wording before anything is searched.

The wording alone decides, so the reply is the same whether or not such a record exists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from assistant.domain import RefusalReason
from assistant.machine_text import gives_orders, visible
from index.domain import Role
from index.text import search_form


@dataclass(frozen=True, slots=True)
class Outside:
    """A kind of request that is not served.

    Attributes:
        reason: Reason of the refusal.
        message: Its fixed sentence.
        names_records: Whether records on the subject are named all the same, with their dates.
    """

    reason: RefusalReason
    message: str
    names_records: bool = False


LAW_NOW: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "本系统只回答馆（室）藏记录，现行规定请查国家法律法规数据库。",
    names_records=True,
)
TODAY: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "本系统只回答馆（室）藏记录里写着的事，当天的天气、行情、时间不在其中。",
)
CERTIFICATE: Final = Outside(RefusalReason.CERTIFICATE, "出证请到档案室办理，可为您生成申请单。")
IN_OFFICE: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "档案只记到成文那一天，现任职务不在馆藏所能回答的范围；可以问某人是哪年任命、选举或免职的。",
    names_records=True,
)
DRAFTING: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "本系统只提供带出处的原文引用，不代拟文稿、不外发材料，也不隐去出处；请就需要的事实逐项提问。",
)
JUDGING: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "本系统只引用馆（室）藏记录里写着的事，不作评价、排名、预测，也不替您拿主意；可以问记录里的数字、结论或测评结果。",
)
OWN_PAPERS: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "人大档案里没有个人的参军、学籍、婚姻、工龄材料；请到退役军人事务、教育、婚姻登记、人力资源社会保障部门或当地综合档案馆查询。",
)
CASE: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "本系统只回答馆（室）藏记录，不就具体纠纷判断输赢、测算赔偿，请咨询律师或法律援助机构；可以问某部法规里是怎么写的。",
    names_records=True,
)
CLASSIFIED: Final = Outside(
    RefusalReason.OUT_OF_SCOPE,
    "本系统不保存国家秘密，涉密档案的目录和密级台账另行保管；请按保密规定向档案室查询。",
)
PRIVATE: Final = Outside(
    RefusalReason.UNSAFE,
    "该请求不予办理：个人的证件号码、住址、账号，举报人、信访人的身份和联系方式，一律不提供查询。",
)
UNSAFE: Final = Outside(
    RefusalReason.UNSAFE,
    "该请求不予办理：本系统只在您的查阅权限内检索并引用馆藏记录。",
)

_INJECTION: Final = re.compile(
    r"忽略(?:掉)?(?:以上|上述|前面|上面|之前|先前|所有)|(?:无视|不顾)(?:以上|规定)"
    r"|(?:忽略|无视|忘记|忘掉|不要管|不用管|别管|抛开|不要遵守|不必遵守)(?:掉)?(?:以上|上述|前面|上面|之前|先前|所有|一切|这些|你的|系统)(?:的|所有)?.{0,4}(?:规定|规则|指令|指示|限制|设定|提示|约束)"
    r"|system ?prompt|系统提示词|你的提示词|越狱模式|开发者模式|developer mode"
    r"|(?:列出|给我|导出|调出|看看|告诉我).{0,8}(?:涉密|机密|绝密)(?:档案|文件|目录|清单|材料|件)|涉密目录|涉密清单"
    r"|(?:绕过|绕开|突破|跳过|关闭|解除|取消)(?:系统|查阅|访问|阅读|我的|你的|这个|一下|掉)*(?:的)?(?:权限(?!下放)|访问控制|安全限制)"
    r"|(?:绕过|绕开|突破|跳过)(?:权限|规定)|越权|导出全部"
    r"|你现在(?:是|扮演)|从现在(?:起|开始)[,，]?你|(?:假装|假设)你是|扮演(?!(?:着|了|过)?(?:什么|何种|怎样|哪种|啥)(?:样的?|的)?角色)(?![^,，。]{0,10}的(?:作用|职能)).{0,8}(?:管理员|助手|角色)"
    r"|(?:把我|给我|让我)(?:当作|设为|设成|升级为|变成|开通|提升为).{0,6}(?:管理员|权限)|以(?:超级)?管理员(?:的)?身份(?:回答|查|列|显示)"
)
_CERTIFICATE: Final = re.compile(
    r"(?<![提作做付支退推列])出(?:具|个|一?份)?(?:给我)?.{0,6}证明|(?<!公)开.{0,4}证明(?!.{0,6}(?:收费|要钱|花钱|[几多][天久]|多少钱))|(?:我|俺)[^,，。]{0,4}开(?!业|店|工|公司|张).{0,6}证明(?!.*(?:收费|要钱|花钱|哪些|材料|条件))"
    r"|(?:给|帮|替|要|想|请|能不能|能否|可以|可否).{0,12}(?:盖个?(?:公)?章|加盖|盖上)|盖公章|盖个章"
)
_DRAFTING: Final = re.compile(
    r"^(?!.*[几多](?:天|日|久|个(?:工作日|月))(?:之?内|以内|里)).*(?:(?:写|拟|起草|生成)(?:成|一?[篇份个])|(?:改|整理)成).{0,8}(?:发言稿|讲话|总结|报告|文章|稿子)(?!.*(?:[几多][个久天]|什么时候|谁|哪|多少|吗|要不要|是否))"
    r"|(?:帮|替)(?:我|我们|咱|咱们)(?:代)?(?:起草|草拟|拟(?!定|订)|写(?!的|过|了|进|信的|下|一下|出|清))|给(?:我|咱)们?(?:起草|草拟|拟|写)(?:一?[份篇个封]|[^的]{0,12}$)"
    r"|(?:^|[,，。]|请|麻烦)(?:你|您)?(?:起草|草拟)(?:一|个|份|篇)(?!.*(?:哪|怎么|如何|谁|多少|几)).{0,30}(?:建议|议案|提案|报告|通知|讲话|稿|函|方案|总结|请示)"
    r"|(?:帮|替|给)(?:我|咱)们?[^,，。的找查]{0,4}(?:科室?|办公室|单位|[局委处院]|部门?|支部|班子)(?:起草|草拟|代写)(?!的|过)"
    r"|^(?:请|麻烦|请你|请您)?(?:帮忙)?(?:写|拟)一?[份个篇封][^,，。？?几多哪谁要]{0,24}(?:议案|建议|提案|报告|通知|讲话|稿|函|方案|总结|请示|检讨|信)[。！!]?$"
    # 替我编一份两千字的述职; not 帮我弄份预算报告, which is to be looked up
    r"|(?:帮|替|给)(?:我|俺|咱)们?[^,，。？?查找调看翻把]{0,6}(?:(?<![汇改整主选在])编(?![制办委号外印])|攒|憋|润色)[^,，。？?]{0,10}(?:述职|讲话|发言|稿|总结|心得|体会|检讨|报告|祝词|致辞|感言|简历|信)(?!.*(?:谁|哪|多少|目录|索引|清单|名单|出处))"
    r"|(?:帮|替|给)(?:我|俺|咱)们?[^,，。？?]{0,4}(?:弄|整|搞|来|出)[^,，。？?]{0,3}(?:[份篇个段]|[0-9一二三四五六七八九十百千两几]+字)[^,，。？?]{0,10}(?<!的)(?:(?<![长员官任])述职(?!报告|评议|材料)|(?<![的会])(?:[讲发]言稿|讲话稿)|心得|检讨|祝词|致辞|感言)(?!.*(?:谁|哪|多少|档号|原件|复印|原文))"
    r"|发我邮箱|发到.{0,6}邮箱"
    r"|(?:删掉|删去|删除|去掉|去除|抹掉|隐去|不要|别带|不带|省略)(?:所有|全部)?(?:的)?(?:出处|引文标记)"
    r"|(?:把)?(?:出处|引文标记)(?:都|全|全都|统统)?(?:给我)?(?:删|去掉|抹|隐去|省)"
    r"|就说.{0,8}(?:都)?(?:核实|核对|查证|确认)(?:过|无误)"
)
_LAW_NOW: Final = re.compile(
    r"(?:现行|现在|如今|目前|最新)(?:的)?(?:国家)?(?:法律|法规|国家规定|规定|物业法规|政策).{0,20}(?:怎么|如何|规定|多少)"
    r"|(?:现行|现在|如今|目前)[^，,。？?]{2,10}(?:法律|法规|规定)(?:里|中|是|上)?(?:怎么|如何|咋)"
    r"|(?:现在|如今|目前|今天|至今)(?:还)?(?:有没有效|有效没有|有效吗|算不算数|作不作数|管不管用|能不能用)"
    r"|我.{0,6}(?:照|按|依)(?:它|这个?|此).{0,12}(?:行不行|可不可以|合不合法|对不对|行吗|可以吗)|(?:合不合法|违不违法|犯不犯法)(?!(?:由|归)(?:谁|哪)[^,，。]{0,6}(?:审|认定))"
)
#: The asker's own quarrel: who wins, what it is worth.
_CASE: Final = re.compile(
    r"法院(?!.*(?:建议|议案|人大|报告|答复))[^,，。？?]{0,6}判[^,，。？?]{0,4}(?:赔|给|还)(?:我|俺|咱)(?!们?(?:[省市县区村镇乡校国厂]|学校|单位))|"
    # 照眼下的法律我得判几年: what would come of it for somebody, today.
    r"(?:按照?|照|依照?)(?:着)?(?:现在|眼下|如今|当下|目前|现行|今天)的?(?:法律(?!援助)|法(?![院制规治律])|刑法)[^，,。？?]{0,8}(?:判(?!决)|坐(?:几|多)(?:年|久)|赔|蹲)"
    r"|(?:我(?![省市县区国州们])|俺|我(?:小舅子|老公|老婆|儿子|弟弟?|哥哥?|爸|妈|朋友|亲戚))[^，,。？?]{0,6}(?:得|要|会|能|该)?(?:判|坐牢|蹲)(?:几|多少|多)(?:年|久|个月)|"
    r"我.{0,16}(?:能不能赢|能赢[不吗么]|告得赢|打得赢|能(?:告|打)赢)|官司.{0,6}(?:能|会|稳|准|肯定)赢|稳赢|(?:能|会)不(?:能|会)(?:胜诉|败诉)|胜算"
    r"|我(?!们?[省市县区镇乡院]|们?.{0,4}(?:仲裁院|法院|检察)).{0,8}(?:仲裁|起诉|打官司|上法院|去法院|告[他她它]).{0,16}(?:要回|赔到|拿到|要到|索赔|赔我|能赔|该赔|能判).{0,4}多少"
)
#: An opinion, a ranking of people, a forecast: none stands in a record.
_JUDGING: Final = re.compile(
    r"(?:[给帮替]我|^[给帮替]|[，,你][给帮替])(?:拿|出)(?:个|一?个)?主意|[你您](?:自己)?(?:觉得|认为|感觉|怎么看|咋看|看好)|[你您](?!好|们)[^，,。查找看有]{0,6}(?:评(?:一)?评|评价(?!.{0,4}(?:报告|条例|办法|意见|结果|制度|标准|体系))|打个?分|排个?(?:名|前|座次))"
    r"|^(?!.*(?:测评|评议|评选|评为|评上|表彰|先进|优秀|称号|授予|记录|劳模)).*谁(?:干|做|当|表现|发挥|说)得?(?:最|更)(?:好|差|棒|糟|出色)"
    # 你给估一估，往后三年地还卖不卖得动
    r"|[你您](?!们)[^,，。？?查找有馆库这那里]{0,4}(?:估(?!算)|猜|预测|推测|琢磨|预料)(?:一?[下估猜测]|摸|计|个)?[^。？?]{0,6}(?:往后|今后|以后|将来|未来|明年|后年|下(?:一)?[年届])(?!.*(?:报告|材料|规划|草案|预算|文件|哪份))"
    r"|[你您](?:给|帮)?(?:[我咱俺]们?)?(?:看|说|瞧|断|掂量|琢磨|算算|寻思)(?!一下|的)(?!.*(?:报告|材料|规划|草案|预算|文件|哪份))[^,，。？?]{0,3}[,，]?(?:往后|今后|将来|未来|明年|后年|过[两几]年).{0,24}(?:会不会|能不能|[涨跌升降](?:不|多少|到)|还[^,，。？?]{1,8}[不吗么][？?。]*$)"
    # 手里这点基金，该割肉还是接着拿
    r"|^(?!.*(?:条例|规定|报告|审计|公益金|医保|引导|扶贫|网点)).*(?:我(?![省市县区镇国州院校厂们])|俺|手[里头]|这点|这只|这支)[^。？?]{0,10}(?:基金|股票|理财|彩票|黄金|比特币)[^。？?]{0,12}(?:该|要不要|能不能|还能|是不是)[^。？?]{0,4}(?:抛|卖(?!给)|买|拿|赎回)"
    r"|(?:基金|股票|股市|楼市)[^。？?]{0,14}(?:割肉|加仓|抄底)|(?:割肉|加仓|抄底)[^。？?]{0,14}(?:基金|股票|股市|楼市)"
    r"|(?:应不应该|该不该).{0,20}[你您]|[你您](?!们).{0,20}(?:应不应该|该不该)"
)
#: Somebody's own papers or his family's: none are in the archive of a congress.
_KIN: Final = "爹|爸|父亲|妈|母亲|娘|爷爷|奶奶|姥爷|姥姥|外公|外婆|老公|老婆|爱人|丈夫|妻子|儿子|闺女|女儿|哥|弟|姐|妹|叔|舅|姑|姨"
_PAPERS_OF_ONE: Final = "退伍证|转业证|退役证|毕业证|学位证|学籍|结婚证|离婚证|独生子女证|出生证|户口底册|人事档案|个人档案|档案袋|工龄|入伍通知书"
_OWN_PAPERS: Final = re.compile(
    rf"^(?=.*[查找调])(?!.*(?:建议|议案|提案|答复|决议|决定|规定|办法|政策|制度|条例|法律|法规|人大代表|补办|优待|补助|学区|安置|标准))"
    rf".*(?:我|俺)(?:们?家|自己)?(?:(?:老?(?:{_KIN})).{{0,14}}(?:{_PAPERS_OF_ONE}|当的?兵|参的?军|入的?伍)|(?:的|自己的|本人的)(?:{_PAPERS_OF_ONE}))"
)
#: The day's weather, prices and the like: no archive holds them.
_TODAY: Final = re.compile(
    r"(?:今天|今晚|今日|明天|后天|明日|这会儿|现在|本周末|这周末)[^，,。？?]{0,8}(?:下雨|下不下雨|下雪|天气|气温|几度|几点|星期几|股价|股票|油价|金价|汇率|堵不堵|限行)"
)
#: Whether somebody still holds an office: records end with their date. One that also asks when he
#: was appointed is answered for that.
_IN_OFFICE: Final = re.compile(
    r"(?:现在|如今|目前|眼下|今天|至今)(?:还|仍)?(?:是不是|是否|还是不是|还是|仍是|在不在|还在|仍在)(?:还是|还在|仍)?.{0,12}"
    r"(?:任上|在任|在位|在职|当着|[省市州县区乡镇局厅院处部校]长|主任|书记|委员|代表|主席|检察长|秘书长)"
)
_APPOINTED: Final = re.compile(r"哪[年天月]|什么时候|何时|几时|任命|选举|当选")
_CLASSIFIED: Final = re.compile(
    r"(?:密级|保密期限|保密期)(?:期)?(?:已|都)?(?:满|到期|届满)|(?:没|未|已)(?:做|经|办)?解密审核|解密审核"
    r"|(?:哪些|多少|几件|有没有).{0,4}(?:涉密|机密|绝密)(?:的)?(?:档案|文件|件|材料)"
)
_COMPLAINANT: Final = re.compile(
    r"(?:举报|检举|揭发|控告|信访|来信|来访|上访|投诉)(?:的)?(?:那个|那位|这个|这位)?(?:人(?!大|员|民|次|数)|者|群众|当事人)"
    r"|写.{0,14}信的(?:那个|那位)?人|谁(?:写|寄|递)的?.{0,6}(?:举报|检举|控告|匿名)信|谁(?:举报|检举|揭发|控告)的?"
    r"|(?:举报|检举|控告|匿名)信.{0,4}(?:是)?谁(?:写|寄|递)"
)
_INFORMER: Final = re.compile(r"举报|检举|揭发|控告|匿名")
_CONTACT: Final = re.compile(r"电话|手机|联系方式|住址|地址|住哪|住在哪|身份证|微信|邮箱|银行卡")
_WHO: Final = re.compile(r"谁|叫什么|姓什么|姓名|名字|身份(?!证)")
_PRIVATE: Final = re.compile(
    r"(?:身份证|银行卡|银行账)(?:号|号码)|(?:家庭住址|家庭地址|私人电话|个人手机|家里电话)|(?:手机号码?|微信号?)(?:是|有没有|有吗|多少|给我|能|[？?。]*$)|家住(?:哪|什么)|住哪个小区|住在哪(?:个小区|条街|里)?[？?。]?$"
)


def out_of_scope(question: str, role: Role) -> Outside | None:
    """The kind of request never served that a question is, None when it is ordinary.

    Invisible characters and spaces between the words do not hide one.

    Args:
        question: The question, as typed or self-contained.
        role: Whose question it is; only an archivist may ask who wrote a letter of complaint.
    """
    form = search_form(visible(question)).text
    if _DRAFTING.search(form):
        return DRAFTING
    if _INJECTION.search(form) or gives_orders(form):
        return UNSAFE
    if _is_private(form, role):
        return PRIVATE
    if _CERTIFICATE.search(form):
        return CERTIFICATE
    if _CLASSIFIED.search(form):
        return CLASSIFIED
    if _TODAY.search(form):
        return TODAY
    if _JUDGING.search(form):
        return JUDGING
    if _OWN_PAPERS.search(form):
        return OWN_PAPERS
    if _CASE.search(form):
        return CASE
    if _LAW_NOW.search(form):
        return LAW_NOW
    if _IN_OFFICE.search(form) and not _APPOINTED.search(form):
        return IN_OFFICE
    return None


def _is_private(form: str, role: Role) -> bool:
    """Contacts of a complainant for anyone; who informed, for all but the archivist.

    Source:
        信访工作条例 30 (informers are never disclosed); 个人信息保护法 28, 29.
    """
    if _PRIVATE.search(form):
        return True
    if not _COMPLAINANT.search(form):
        return False
    if _CONTACT.search(form):
        return True
    return role is not Role.ARCHIVIST and bool(_INFORMER.search(form) and _WHO.search(form))


#: Who the asker says they are, before the request itself.
_CLAIM: Final = re.compile(
    r"^\s*(?:(?:你好|您好|喂)[，,。！! ]*)?(?:我(?:就)?(?:是|叫)|本人(?:是|系)|这里是)"
    r"[^，,。！!？?；;]{0,16}?(?:主任|书记|[局市县区院处科馆镇乡部]长|秘书长?|检察长|领导|管理员|档案员|工作人员|负责人|干部|代表|委员)(?:本人)?"
    r"[，,。！!；;]\s*"
)
_PLEA: Final = re.compile(
    r"^(?:(?:我)?(?:临时|暂时|借|先)?(?:借)?用(?:一下|下)?这台?(?:机子|机器|电脑|账号|终端)|我有(?:查阅)?权限|我授权你[^，,。]{0,8}|领导(?:已经?)?(?:同意|批准)了?|事情紧急|情况紧急)[，,。！!；;]\s*"
)
CLAIM_NOTE: Final = "查阅权限以登录身份为准，提问里写的身份不改变可查阅的范围。"


def without_claim(question: str) -> str:
    """A question without the words in which the asker says who they are; often the same.

    What is left is what they may ask with the rights they have; the words themselves would only
    lead the search to records about that office.
    """
    rest = _CLAIM.sub("", question)
    if rest == question:
        return question
    while (shorter := _PLEA.sub("", rest)) != rest:
        rest = shorter
    return rest.strip().removesuffix("。") or question
