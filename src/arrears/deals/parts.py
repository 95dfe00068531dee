"""The parts of a deal file, as a structurer writes them."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from arrears.core.money import money_of_field


def _exact(value: object) -> object:
    """A rate, share or price as an exact fraction; `0.023` is 23/1000 whether it is text or a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return value
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError("it is no number") from None


def _step(value: object) -> object:
    """`reserve`, or `{fee: [trustee, audit]}`; what a step pays may be one name or several."""
    if isinstance(value, str):
        return {"word": value}
    if isinstance(value, dict) and "word" not in value:
        words = [key for key in value if key != "split"]
        if len(words) != 1:
            raise ValueError("a step is a word, or one word with the accounts that it pays")
        names = value[words[0]]
        listed = [names] if isinstance(names, str) else list(names or ())
        return {"word": words[0], "names": listed, "named": True} | {
            key: value[key] for key in value if key == "split"
        }
    return value


Exact = Annotated[Any, BeforeValidator(_exact)]
Fen = Annotated[int, BeforeValidator(money_of_field)]
Count = Literal["ACT/365F", "ACT/360", "ACT/ACT", "30E/360", "30/360"]
Role = Literal["senior", "sub", "units", "notional"]


class Part(BaseModel):
    """A part of a deal: no unknown fields, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Party(Part):
    """Who takes part.

    Attributes:
        kind: a kind of holder, as the rulebook's permissions name it.
        licence: of an originator, whether it may issue; left out, its kind decides.
    """

    name: str | None = None
    kind: str | None = None
    licence: bool | None = None


class Parties(Part):
    """Who does what; only the originator's permission is tested."""

    originator: Party | None = None
    servicer: Party | None = None
    trustee: Party | None = None
    custodian: Party | None = None


class Coupon(Part):
    """Interest of a class: a fixed rate, or an index with margin and floor; `zero` is none."""

    type: Literal["fixed", "floating", "zero"]
    rate: Exact = None
    index: str | None = None
    margin: Exact = Fraction(0)
    floor: Exact = None


class Tranche(Part):
    """A class of the deal.

    Attributes:
        target: least balance by date that principal steps pay down to before an event of default; left out, principal
            passes through as it comes.
        notional_of: of a notional class, whose balances its interest is reckoned on; `face` is then only its size.
        retained: share that the originator keeps; left out, the deal's.
    """

    name: str
    role: Role
    face: Fen = Field(gt=0)
    issue_price: Exact = Fraction(100)
    day_count: Count = "ACT/365F"
    interest_on_unpaid: bool = False
    coupon: Coupon | None = None
    target: tuple[tuple[date, Fen], ...] | None = None
    notional_of: tuple[str, ...] = ()
    retained: Exact = None

    @property
    def bears(self) -> bool:
        """Whether it has a coupon."""
        return self.coupon is not None and self.coupon.type != "zero"


class Rate(Part):
    """A share of what is collected."""

    rate: Exact


class Accrual(Part):
    """How expenses arise."""

    type: Literal["fixed_amount", "rate_on_initial", "rate_on_opening_balance"]
    amount: Fen = 0
    base: Fen = 0
    rate: Exact = Fraction(0)
    day_count: Count = "ACT/365F"
    minimum: Fen = 0


class Expenses(Part):
    """Trustee, agencies, audit, enforcement, in one line."""

    cap_per_period: Fen | None = None
    accrual: Accrual


class Fee(Part):
    """A fee of its own, for deals that name them.

    Attributes:
        basis: `flat` an amount, `balance` a rate a year on balances at the start of the day, `initial` on faces,
            `collections` a share of what is credited, `fee` a share of another fee, `remaining` a share of the cash
            that is left when its step comes.
        of: of `balance` and `initial`, `all` or `senior`; of `fee`, the other fee, or `tax` or `servicing`.
        first, every, times: on which payment dates it arises; one-off is `times: 1`.
        cap: most of it that is paid at its own step in a period; more is paid by `fee_overrun`.
        in_reserve: whether a reserve by formula counts it; only what is known a period ahead can be.
    """

    name: str
    basis: Literal["flat", "balance", "initial", "collections", "fee", "remaining"]
    amount: Fen = 0
    rate: Exact = Fraction(0)
    of: str = "all"
    day_count: Count = "ACT/365F"
    minimum: Fen = 0
    cap: Fen | None = None
    first: int = Field(default=1, ge=1)
    every: int = Field(default=1, ge=1)
    times: int | None = Field(default=None, ge=1)
    in_reserve: bool = True

    def arises(self, number: int) -> bool:
        """Whether it arises on a payment date, counted from 1."""
        past = number - self.first
        if past < 0 or past % self.every:
            return False
        return self.times is None or past // self.every < self.times


class Term(Part):
    """A part of a reserve's formula: so many times something."""

    multiple: Exact
    of: Literal[
        "next_expenses", "next_fees", "next_senior_interest", "senior_balance", "all_balances"
    ]


class Reserve(Part):
    """Cash set aside for the next payment date.

    Attributes:
        multiple: of next period's expenses, fees and senior interest. Expenses on the opening balance are foreseen on
            balances before today's principal, as interest is, without their minimum and cap.
        terms: of `formula`, added up and rounded once, then kept between `minimum` and `maximum`.
    """

    type: Literal["none", "fixed", "multiple", "formula"] = "none"
    target: Fen = 0
    multiple: Exact = Fraction(0)
    terms: tuple[Term, ...] = ()
    minimum: Fen = 0
    maximum: Fen | None = None
    initial: Fen = 0


class Tier(Part):
    """A tier of the incentive commission, by cumulative collections."""

    lower: Fen
    upper: Fen | None = None
    rate: Exact


class Incentive(Part):
    """What the servicer earns on top, by tiers of cumulative collections."""

    tiers: tuple[Tier, ...] = Field(min_length=1)


class Excess(Part):
    """Who gets what is left: the servicer a share and one holder the rest, or shares by name that add up to 1."""

    servicer_share: Exact = Fraction(0)
    residual_holder: str | None = None
    shares: dict[str, Exact] | None = None


class Recovery(Part):
    """Principal goes in sequence where collections fall behind the forecast."""

    threshold: Exact
    curable: bool = True


class Call(Part):
    """The originator may buy back what is left of the pool.

    Attributes:
        pool: `stated`, by `pool_balance_end` and `call_offer` of the periods; `uncollected`, the initial balance less
            what was collected, bought at `offer_share` of it.
    """

    enabled: bool = True
    threshold: Exact
    initial_pool_balance: Fen
    pool: Literal["stated", "uncollected"] = "stated"
    offer_share: Exact = Fraction(0)


class Unpaid(Part):
    """An event of default: senior principal still unpaid after a date."""

    after: date


class Behind(Part):
    """An event of default: cumulative collections below a share of the cumulative forecast."""

    threshold: Exact


class Events(Part):
    """Events of default; any of them is enough."""

    missed_senior_interest: bool = False
    senior_principal_unpaid: Unpaid | None = None
    collections_behind: Behind | None = None


class Triggers(Part):
    """Tests on each payment date."""

    event_of_default: Literal["missed_senior_interest"] | Events | None = None
    recovery: Recovery | None = None
    clean_up_call: Call | None = None

    @property
    def events(self) -> Events | None:
        """The events of default, however they were written."""
        if isinstance(self.event_of_default, str):
            return Events(missed_senior_interest=True)
        return self.event_of_default


class Step(Part):
    """A step of the order of payment.

    Attributes:
        names: the accounts it pays, where it does not know them by itself.
        named: whether the file names accounts, or leaves their place empty.
        split: of `principal` and `interest`, how cash goes to several.
    """

    word: str
    names: tuple[str, ...] = ()
    named: bool = False
    split: Literal["pro_rata", "sequential", "trigger"] = "sequential"

    @property
    def label(self) -> str:
        """As the movements name it."""
        return f"{self.word}: {', '.join(self.names)}" if self.names else self.word


Steps = tuple[Annotated[Step, BeforeValidator(_step)], ...]


class Waterfall(Part):
    """The order of payment, before and after an event of default."""

    normal: Steps
    post_enforcement: Steps | None = None


class Period(Part):
    """One payment date; what is collected comes from the cash, not from here."""

    t: int | None = None
    collection_start: date
    collection_end: date
    accrual_start: date
    accrual_end: date
    payment_date: date
    gross_collections: int | None = None
    of_which_before_closing: int = 0
    invoices: Fen = 0
    forecast_collections: Fen = 0
    pool_balance_end: Fen | None = None
    call_offer: Fen = 0


class Calendar(Part):
    """Business days: weekends and the holidays listed are none."""

    holidays: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()
    convention: Literal["none", "following", "modified_following", "preceding"] = "following"


class Schedule(Part):
    """Payment dates at equal distances, collections up to some days before each.

    Attributes:
        calendar: moves payment dates to business days; accrual keeps to the nominal ones.
        forecast: collections expected in each period, for the tests that compare with them.
    """

    first_collection_end: date
    first_payment: date
    every_months: int = Field(ge=1)
    payments: int = Field(ge=1, le=480)
    calendar: Calendar | None = None
    forecast: tuple[Fen, ...] = ()
