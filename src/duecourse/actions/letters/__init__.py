"""Letters to a debtor who has not paid: facts in, a document out, and from it the DOCX to edit and the PDF to send.  催款函件

facts      what a letter rests on, frozen; every figure and document in it names the buyer it belongs to
rules      what the law of a country asks of a letter: days to pay, what it may say of limitation, the threshold of an instalment sale
words/     one file a language: our wording; figures  numbers, dates and money as that language writes them
demand_letter, reminder, letter_before_action, acknowledgement_of_debt, guarantor_demand, payment_plan
           which parts a kind has, in which order
composing  facts and words -> Document; setting  Document -> PDF; editing  Document -> DOCX
"""

from __future__ import annotations

from duecourse.actions.letters.composing import KINDS, LANGUAGES_OF, compose
from duecourse.actions.letters.facts import LetterFacts

__all__ = ["KINDS", "LANGUAGES_OF", "LetterFacts", "compose"]
