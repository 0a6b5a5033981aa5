"""What the committee made for the province: 10 videos, 80 posters and handbooks, 6 trainings, and their use.

The published figures of 2024. Each file is real and small; a video is represented by its storyboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from anze.exchange.synthetic.streams import stream
from anze.exchange.synthetic.words import person
from anze.kernel.actor import platform
from anze.kernel.duty import BEIJING
from anze.kernel.rules import Sector
from anze.library.actions import announce_training, publish_material, set_questions
from anze.library.models import Certificate, HazardEntry, Material, MaterialDay, SignUp, Training
from anze.library.rules import MaterialKind, read_questions
from anze.parties.models import Enterprise, Expert, Organisation
from anze.parties.rules import OrganisationKind, Permission
from anze.screen.typesetting import typeset

VIDEOS, POSTERS, HANDBOOKS, TRAININGS = 10, 56, 24, 6
_BY = platform(frozenset({Permission.KEEP_LIBRARY}))
_COLORS = ("#1f5f8b", "#246a35", "#935e00", "#8a2f2f", "#5b4a8a")
_SECTORS = tuple(sector.value for sector in Sector)
_KINDS = (
    (MaterialKind.VIDEO, VIDEOS, "SP", "警示教育短片", "Film: {}"),
    (MaterialKind.POSTER, POSTERS, "HB", "挂图", "Poster: {}"),
    (MaterialKind.HANDBOOK, HANDBOOKS, "SC", "操作手册", "Handbook: {}"),
)
_TOPICS = (
    ("重大事故隐患判定标准解读", "What counts as a major hazard", "OTHER", "济南"),
    ("铝加工（深井铸造）“1+1”专项", "Aluminium deep-well casting: “1+1”", "SMELT", "滨州"),
    ("有限空间作业与应急救援", "Confined spaces and rescue", "OTHER", "潍坊"),
    ("危险化学品特殊作业", "Special work with hazardous chemicals", "HAZCHEM", "东营"),
    ("矿山安全风险辨识", "Finding risks in mines", "MINE", "济宁"),
    ("安责险事故预防服务规范", "The specification of prevention services", "", "青岛"),
    ("粉尘防爆与除尘系统", "Dust explosions and dust collection", "OTHER", "临沂"),
)
_QUESTIONS = """有限空间作业的正确顺序是？ | What is the right order of work in a confined space?
先作业、再通风 | Work, then ventilate
* 先通风、再检测、后作业 | Ventilate, test, then work
先检测、后作业 | Test, then work

谁认定一项隐患是否为重大事故隐患？ | Who decides whether a hazard is a major one?
* 由专业人员依据判定标准认定 | A professional, by the standard
由系统自动认定 | The system, by itself

现场发现隐患应当怎样告知企业？ | How is the enterprise told of a hazard?
口头告知即可 | By word of mouth
* 及时书面告知 | In writing, promptly
"""


def create_learning(seed: int, as_of: date) -> None:
    """Materials with a year of use, trainings with people and certificates; the scope must be everything."""
    if Material.objects.exists():
        return
    random = stream(seed, "learning")
    _materials(random, as_of)
    _use(random, as_of)
    _trainings(random, as_of)


def _moment(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=BEIJING)


def _materials(random: Random, as_of: date) -> None:
    entries = list(HazardEntry.objects.filter(effective_to__isnull=True).order_by("sector", "code"))
    by_sector = {sector: [each for each in entries if each.sector == sector] for sector in _SECTORS}
    for kind, count, prefix, word, word_en in _KINDS:
        for n in range(count):
            sector = _SECTORS[n % len(_SECTORS)]
            among = by_sector[sector]
            chosen = [among[(n // len(_SECTORS) * 5 + k) % len(among)] for k in range(5)]
            first = chosen[0]
            title, title_en = f"{first.place_zh}：{first.advice_zh[:18].rstrip('，、')}", first.wording_en
            data = {
                "title": title if kind is MaterialKind.POSTER else f"{first.place_zh}安全{word}",
                "subtitle": Sector(sector).label.__str__(),
                "color": _COLORS[n % len(_COLORS)],
                "points": [f"{each.wording_zh} → {each.advice_zh}" for each in chosen],
                "foot": "示例安责险事故预防服务专委会 · 示例资料",
            }
            code = f"{prefix}-{n + 1:03}"
            publish_material(
                code, by=_BY, at=_moment(as_of - timedelta(days=random.randint(20, 330)), 10), kind=kind.value,
                title_zh=f"{title}（{word}）", title_en=word_en.format(title_en[:120]), sectors=[sector],
                about_zh=f"{first.wording_zh}。", about_en=f"{first.wording_en}.",
                data=typeset("exchange/poster.typ", data, archival=False),
                pages=1 if kind is MaterialKind.POSTER else random.randint(8, 40) if kind is MaterialKind.HANDBOOK else None,
                minutes=random.randint(3, 15) if kind is MaterialKind.VIDEO else None,
            )  # fmt: skip


def _use(random: Random, as_of: date) -> None:
    """Uses by day since publication: films most, each material with a popularity of its own."""
    days, totals = [], []
    for material in Material.objects.order_by("code"):
        liked = random.random() ** 2 * (4 if material.kind == MaterialKind.VIDEO else 1.5)
        day, views, downloads = material.published_on, 0, 0
        while day < as_of:
            seen = int(random.random() * 6 * liked) if day.weekday() < 5 else 0
            saved = int(seen * random.random() * 0.6)
            if seen:
                days.append(MaterialDay(material=material, on=day, views=seen, downloads=saved))
                views, downloads = views + seen, downloads + saved
            day += timedelta(days=1)
        material.views, material.downloads = views, downloads
        totals.append(material)
    MaterialDay.objects.bulk_create(days, batch_size=2000)
    Material.objects.bulk_update(totals, ["views", "downloads"])


def _trainings(random: Random, as_of: date) -> None:
    host = Organisation.objects.filter(kind=OrganisationKind.COMMITTEE).first()
    if host is None:
        return
    parties = list(_parties(random))
    for n, (chinese, english, sector, place) in enumerate(_TOPICS):
        is_held = n < TRAININGS
        day = as_of - timedelta(days=300 - 48 * n) if is_held else as_of + timedelta(days=12)
        training = announce_training(
            f"PX{day.year}-{n + 1:02}", by=_BY, at=_moment(day - timedelta(days=30), 9), host=host,
            fields={"title_zh": chinese, "title_en": english, "sector": sector, "trainer": person(random),
                    "starts_at": _moment(day, 9), "ends_at": _moment(day, 16), "capacity": 120,
                    "place": f"{place}示例会议中心" if n != 5 else "线上会议室", "is_online": n == 5},
        )  # fmt: skip
        set_questions(training, by=_BY, at=_moment(day, 8), questions=read_questions(_QUESTIONS))
        chosen = random.sample(parties, min(len(parties), random.randint(40, 90) if is_held else 25))
        _attend(random, training, chosen, day, is_held)


def _parties(random: Random) -> Iterator[tuple[str, dict[str, object]]]:
    """Organisations that may send somebody: the columns of a sign-up."""
    kinds = {OrganisationKind.INSURER: "insurer", OrganisationKind.AGENCY: "agency"}
    for each in Organisation.objects.filter(kind__in=kinds).order_by("code"):
        words = {kinds[OrganisationKind(each.kind)]: each, "region_code": each.region_id}
        yield each.short_name or each.name, words
    for expert in Expert.objects.order_by("number")[:40]:
        yield expert.name, {"expert": expert, "region_code": expert.region_id, "sector": expert.sector}
    for enterprise in Enterprise.objects.filter(is_void=False).order_by("uscc")[:60]:
        yield enterprise.name, {
            "enterprise": enterprise, "region_code": enterprise.region_code, "sector": enterprise.sector,
        }  # fmt: skip


def _attend(
    random: Random, training: Training, chosen: list[tuple[str, dict[str, object]]], day: date, is_held: bool
) -> None:
    rows: list[SignUp] = []
    certificates: list[Certificate] = []
    for name, words in chosen:
        expert = words.get("expert")
        row = SignUp(
            training=training, attendee=expert.name if isinstance(expert, Expert) else person(random),
            organisation_name=name, signed_up_at=_moment(day - timedelta(days=random.randint(2, 25)), 11), **words,
        )  # fmt: skip
        if is_held and random.random() < 0.93:
            row.state, row.present_at = "PRESENT", _moment(day, 9)
            row.attempts, row.score = 1, random.choice((33, 67, 100, 100, 100))
            if row.score >= 60:
                row.passed_at = _moment(day, 16)
        rows.append(row)
    SignUp.objects.bulk_create(rows)
    for row in rows:
        if row.passed_at:
            certificates.append(
                Certificate(
                    number=f"{training.code}-{len(certificates) + 1:04}",
                    token=f"{random.getrandbits(120):030x}",
                    sign_up=row, training=training, issued_at=row.passed_at, score=row.score, attendee=row.attendee,
                    organisation_name=row.organisation_name, region_code=row.region_code, sector=row.sector,
                    insurer=row.insurer, agency=row.agency, expert=row.expert, enterprise=row.enterprise,
                )
            )  # fmt: skip
    Certificate.objects.bulk_create(certificates)
    Training.objects.filter(pk=training.pk).update(taken=len(rows), state="HELD" if is_held else "OPEN")
