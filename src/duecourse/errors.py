"""Faults of the caller are named exceptions with a whole sentence: where, what was found, what to do."""

from __future__ import annotations

from typing import ClassVar

from duecourse.messages import Language, say


class DuecourseError(Exception):
    """Base of every error a caller can mend. `code` names its sentence in the message catalogue, area `errors`."""

    code: ClassVar[str] = "unexpected"

    def __init__(self, **args: object) -> None:
        self.args_: dict[str, object] = args
        super().__init__(self.message("en"))

    def message(self, lang: Language | None = None) -> str:
        """The error as a sentence in the language spoken."""
        return say(f"errors.{self.code}", lang, **self.args_)


class LedgerNotFoundError(DuecourseError):
    """There is no ledger at this place."""

    code = "ledger_not_found"


class LedgerReadOnlyError(DuecourseError):
    """The ledger can be read but not written."""

    code = "ledger_read_only"


class LedgerBusyError(DuecourseError):
    """Another process has been writing for longer than we waited."""

    code = "ledger_busy"


class LedgerVersionUnknownError(DuecourseError):
    """The ledger never had this version."""

    code = "ledger_version_unknown"


class DiskFullError(DuecourseError):
    """The storage ran out of room; nothing was added."""

    code = "disk_full"


class BatchUnknownError(DuecourseError):
    """No import has this identifier."""

    code = "batch_unknown"


class FactUnknownError(DuecourseError):
    """The ledger has no such fact, or not for this person."""

    code = "fact_unknown"


class CurrencyUnknownError(DuecourseError):
    """Not a currency code of ISO 4217."""

    code = "currency_unknown"


class AmountInexactError(DuecourseError):
    """The amount has more decimals than its currency."""

    code = "amount_inexact"


class RateMissingError(DuecourseError):
    """No exchange rate is known for this pair on this date."""

    code = "rate_missing"


class HistoryTooShortError(DuecourseError):
    """The book begins inside the window asked for."""

    code = "history_too_short"


class BuyerUnknownError(DuecourseError):
    """No buyer has this identifier, name or number."""

    code = "buyer_unknown"


class CountryUnknownError(DuecourseError):
    """Not a country code of ISO 3166."""

    code = "country_unknown"


class FileUnreadableError(DuecourseError):
    """The file cannot be read as any of the formats we know."""

    code = "file_unreadable"


class FileCutOffError(DuecourseError):
    """The file ends in the middle; nothing was added."""

    code = "file_cut_off"


class FileSwellsError(DuecourseError):
    """A packed file unpacks to far more than any export holds."""

    code = "file_swells"


class FileTooLargeError(DuecourseError):
    """The file is larger than the app takes."""

    code = "file_too_large"


class FileNotFoundHereError(DuecourseError):
    """No such file."""

    code = "file_not_found"


class StatementsUnreadableError(DuecourseError):
    """The file holds no accounts that can be recognised."""

    code = "statements_unreadable"


class SignalsUnreadableError(DuecourseError):
    """The file holds no signals that can be recognised."""

    code = "signals_unreadable"


class LimitsNotYoursError(DuecourseError):
    """A list of credit limits from somebody who may not set them."""

    code = "limits_not_yours"


class ListUnreadableError(DuecourseError):
    """The file holds no list that can be recognised."""

    code = "list_unreadable"


class ListEntryUnknownError(DuecourseError):
    """A list has no such entry in this book."""

    code = "list_entry_unknown"


class BuyerUngradedError(DuecourseError):
    """There is nothing to grade this buyer by."""

    code = "buyer_ungraded"


class BuyerMissingError(DuecourseError):
    """Accounts of one company, and nothing says whose."""

    code = "buyer_missing"


class ColumnsUnrecognisedError(DuecourseError):
    """A column that is needed could not be found in the file."""

    code = "columns_unrecognised"


class SnapshotShrankError(DuecourseError):
    """An open-item list leaves out so much of the last one that it is probably only a part."""

    code = "snapshot_shrank"


class OptionInvalidError(DuecourseError):
    """An option of the command has a value that cannot be used."""

    code = "option_invalid"


class SnapshotDateMissingError(DuecourseError):
    """An open-item list does not say of which day it speaks."""

    code = "snapshot_date_missing"


class BucketsInvalidError(DuecourseError):
    """The limits of the ageing buckets are not whole days in rising order."""

    code = "buckets_invalid"


class GrainUnknownError(DuecourseError):
    """A measure was asked for per something that is not a grain."""

    code = "grain_unknown"


class WindowInvalidError(DuecourseError):
    """A window or period of a measure lies outside what it can be."""

    code = "window_invalid"


class OptionMisusedError(DuecourseError):
    """An option of the command line cannot be used like this."""

    code = "option_misused"


class SettingUnknownError(DuecourseError):
    """There is no such setting."""

    code = "setting_unknown"


class CheckUnknownError(DuecourseError):
    """There is no such check of the book."""

    code = "check_unknown"


class BuyerAmbiguousError(DuecourseError):
    """Several buyers match what was asked for."""

    code = "buyer_ambiguous"


class AddressInUseError(DuecourseError):
    """Something else listens where we were to."""

    code = "address_in_use"


class DatabaseUnreachableError(DuecourseError):
    """The app's database does not answer."""

    code = "database_unreachable"


class DatabaseNewerError(DuecourseError):
    """A later release has changed the app's database."""

    code = "database_newer"


class BackupUnreadableError(DuecourseError):
    """The file is not a whole backup."""

    code = "backup_unreadable"


class RestoreRefusedError(DuecourseError):
    """What would be overwritten is there, and nobody said it may be."""

    code = "restore_refused"


class ToolMissingError(DuecourseError):
    """A program of the system that is needed is not installed."""

    code = "tool_missing"


class RuleInvalidError(DuecourseError):
    """A part of a rule set is unknown or cannot be."""

    code = "rule_invalid"


class HistoryMissingError(DuecourseError):
    """There is no past month end that could be replayed."""

    code = "history_missing"


class ReviewTooEarlyError(DuecourseError):
    """A month end with less than a year of invoices before it has nothing to be compared with."""

    code = "review_too_early"


class LeakFoundError(DuecourseError):
    """A score of a past day changes when the facts that came later are taken away: it has seen them."""

    code = "leak_found"


class DecisionUnknownError(DuecourseError):
    """The ledger has no decision of this number."""

    code = "decision_unknown"


class DocumentUnprintableError(DuecourseError):
    """A document could not be set, e.g. a sign that no font has."""

    code = "document_unprintable"


class LetterMixedError(DuecourseError):
    """A letter to one buyer holds what belongs to another."""

    code = "letter_mixed"


class LetterUnworkableError(DuecourseError):
    """A letter cannot be drawn up: no such kind or language, or what it is about is not given."""

    code = "letter_unworkable"


class LetterheadInvalidError(DuecourseError):
    """A part of the letterhead cannot be as it was given."""

    code = "letterhead_invalid"


class AuditTrailAlteredError(DuecourseError):
    """A row of the audit trail is not as it was written."""

    code = "audit_trail_altered"


class LeakingColumnsError(DuecourseError):
    """Columns to be trained on give the outcome away."""

    code = "leaking_columns"


class OutcomeColumnError(DuecourseError):
    """The column that says who failed is missing, or says the same of everybody."""

    code = "outcome_column"


class DefaultsTooFewError(DuecourseError):
    """Too few of the firm's own buyers failed to learn from them."""

    code = "defaults_too_few"


class TrainingPartsMissingError(DuecourseError):
    """The libraries that only training needs are not installed."""

    code = "training_parts_missing"


class FeedUnknownError(DuecourseError):
    """No outside feed has this name."""

    code = "feed_unknown"


class FeedDownError(DuecourseError):
    """An outside feed does not answer as it should; it may soon."""

    code = "feed_down"


class FeedRefusedError(DuecourseError):
    """An outside feed cannot be fetched, and asking again will not help."""

    code = "feed_refused"


class FeedUnreadableError(DuecourseError):
    """What an outside feed sent is not of the form it should have."""

    code = "feed_unreadable"


class MentionUnknownError(DuecourseError):
    """No report waits to be looked at under this number."""

    code = "mention_unknown"


class ReferenceRateMissingError(DuecourseError):
    """A reference rate that interest depends on is not known for a day."""

    code = "reference_rate_missing"


class ReferenceRateOldError(DuecourseError):
    """The newest value of a reference rate is too old for the day asked for."""

    code = "reference_rate_old"


class ReferenceSeriesUnknownError(DuecourseError):
    """No rule uses a reference rate of this name."""

    code = "reference_series_unknown"


class InterestRegimeUnknownError(DuecourseError):
    """There is no late-interest rule of this name."""

    code = "interest_regime_unknown"


class InterestStartMissingError(DuecourseError):
    """A rule's interest begins with an event whose day is not known."""

    code = "interest_start_missing"


class AgreedRateMissingError(DuecourseError):
    """The law leaves the rate to the contract, and none was given."""

    code = "agreed_rate_missing"


class RateUnreadableError(DuecourseError):
    """An agreed rate cannot be read."""

    code = "rate_unreadable"


class StampInvalidError(DuecourseError):
    """A time-stamp is not one, or of another document."""

    code = "stamp_invalid"


class DocumentAlteredError(DuecourseError):
    """A kept file is no longer what it was when it came."""

    code = "document_altered"


class DocumentGoneError(DuecourseError):
    """A document's file is not where documents lie."""

    code = "document_gone"


class EvidenceEmptyError(DuecourseError):
    """There is no document to put into an evidence file."""

    code = "evidence_empty"


class EvidenceUnreadableError(DuecourseError):
    """A file is no evidence package."""

    code = "evidence_unreadable"
