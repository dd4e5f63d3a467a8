"""Which columns lead to a person: those of a name that some contract classifies so.

And which may, as long as no contract says: by the words that their names are made of.
"""

from __future__ import annotations

import re
from itertools import pairwise

NOT_PERSONAL = "not_personal"
"""The tag of a column that shares its name with one that leads to a person, and does not."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
# What is kept of a person; two words that make one are written together.
_OF_PERSONS = _words(
    """
    email emails mail phone telephone mobile cellphone fax msisdn
    firstname lastname fullname middlename givenname familyname maidenname surname forename nickname
    username screenname preferredname birthname
    birth birthday birthdate birthyear birthplace born dob
    address street postcode postalcode zip zipcode ip ipv4 ipv6 ipaddress
    ssn nino passport iban taxid nationalid socialsecurity insurancenumber taxnumber idnumber
    idcard driverlicense drivinglicense licenseplate creditcard cardnumber cardholder accountnumber
    password passwd salary salaries wage wages payslip
    """
)
# Whose names are those of persons: `waiter_name` is one, `product_name` and `order_name` are not.
_PERSONS = _words(
    """
    agent applicant author buyer candidate caregiver cashier clerk client coach colleague consultant
    contact cook courier customer dentist doctor donor driver employee father guardian guest holder
    inspector instructor insured interviewer landlord lawyer manager member mother nurse owner
    participant partner passenger patient payee payer people person physician pilot player professor
    pupil recipient referee referrer rep representative requester resident reviewer rider salesman
    salesperson seller sender signatory speaker spouse staff student subscriber supervisor surgeon
    teacher technician tenant therapist trainee trainer traveler traveller tutor user visitor voter
    waiter waitress witness worker
    """
)
# What measures them, tells them apart by kind, or says yes or no, is of nobody.
_BEFORE = _words("avg average count has is max mean median min n num number sum total was")
_BEHIND = _words(
    """
    category class count counts domain flag format group kind length method provider rate ratio
    share source status total type valid verified version
    """
)


def person(name: str) -> str:
    """A column's name however it is spelt: `customerId` and `customer_id` are one."""
    return name.lower().replace("_", "")


def looks_personal(name: str, table: str = "") -> bool:
    """Whether a column's name says that it may lead to a person, in any spelling of its words.

    table: that it is of: what is called `name` alone is that of a person in `crm.customers`.
    """
    words = [one.lower() for one in _WORD.findall(name)]
    if not words or words[0] in _BEFORE or words[-1] in _BEHIND:
        return False
    if _OF_PERSONS.intersection((*words, *map("".join, pairwise(words)))):
        return True
    if words == ["name"]:
        of = [one.lower() for one in _WORD.findall(table.rpartition(".")[2]) if len(one) > 2]
        return any(map(_is_person, of[-1:]))
    whose = [one for one, other in pairwise(words) if other == "name"]
    whose += [words[0].removesuffix("name")] if len(words) == 1 else []
    return any(map(_is_person, whose))


def _is_person(word: str) -> bool:
    return word in _PERSONS or word.removesuffix("s") in _PERSONS
