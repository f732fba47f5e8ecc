"""Names of persons in questions."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: A character class of family names, the common and the less common.
SURNAME: Final = "[赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜戚谢邹苏潘葛范彭鲁韦马苗方俞任袁柳唐罗薛雷贺倪汤滕殷毕郝安常乐于傅皮卞齐康伍余顾孟黄穆萧尹姚邵汪祁毛狄米贝明臧戴宋庞熊纪舒屈项祝董梁杜阮蓝季贾路娄江童颜郭梅盛林钟徐邱骆高夏蔡田樊胡凌霍万柯卢莫房丁邓郁单洪包左石崔龚程陆翁段侯温付乔尚白史叶黎龙肖闫]"
#: 李持平是哪年出生的: a name of three characters opens the clause, and what is asked of a person
#: follows. Of two characters too many words look like names (任期, 方案).
_ASKED_ABOUT: Final = re.compile(
    rf"(?:^|[,，。]|请问|(?<=[0-9])[年月日])(?!高中|白内|程序|于[去今前当]|何(?:机|单|部|时)|[\u4e00-\u9fff]?(?:市长|县长|书记|主任))((?:{SURNAME}|欧阳|上官|司马|诸葛)[\u4e00-\u9fff][^\W会局院所处部厅市县区省村镇法例案费率款量数额期者员人的是站房帽头障周边口盘上里籍办长记])(?:同志|代表|委员|主任|书记|局长)?"
    r"(?:是谁|是哪(?:里|儿|年(?:出生|生)|位)|(?:是)?(?:哪(?:一)?[年天]|什么时候|啥时候|何时)?(?:出生|辞(?:职|去)|离任|去世|被?免|到任|当选|当的|当上|任命)|[现还]在(?:还)?是|原来在|当(?![年时天街作成地下前中日场事做初药])|任(?![期务命何意])|辞职|多大|几岁|老家|毕业|的(?:手机|电话|简历|学历|籍贯))"
)


@lru_cache(maxsize=4096)
def persons_asked_about(form: str) -> tuple[str, ...]:
    """Persons a question asks something about, by name.

    Args:
        form: Search form of the question.
    """
    return tuple(_ASKED_ABOUT.findall(form))
