"""Which columns lead to a person: those of a name that some contract classifies so.

And which may, as long as no contract says: by the words that their names are made of.
"""

from __future__ import annotations

import re
from collections.abc import Collection
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
    username loginname screenname preferredname birthname
    birth birthday birthdate birthyear birthplace born dob
    address street postcode postalcode zip zipcode ip ipv4 ipv6 ipaddress
    ssn nino passport iban taxid nationalid socialsecurity insurancenumber taxnumber idnumber
    idcard driverlicense drivinglicense licenseplate creditcard cardnumber cardholder accountnumber
    accountno accountnr bankaccount
    password passwd salary salaries wage wages payslip
    diagnosis diagnoses diagnose allergy allergies medication medications religion ethnicity
    vorname nachname familienname geburtsname geburtstag geburtsdatum geburtsort geburtsjahr
    anschrift adresse strasse hausnummer plz postleitzahl tel telefon telefonnummer rufnummer handy
    handynummer mobil mobilnummer kontonummer kontoinhaber steuernummer gehalt
    prenom naissance codepostal courriel salaire
    apellido apellidos nacimiento direccion correo telefono movil dni salario
    cognome nascita indirizzo cellulare codicefiscale
    sobrenome nascimento endereco telefone celular cpf
    voornaam achternaam geboortedatum adres telefoon telefoonnummer bsn
    fornavn etternavn fornamn efternamn personnummer imie nazwisko pesel
    """
)
# The same, where nothing follows it: `login` is one, `login_at` and `last_login` are times.
_LOGIN = _words("login handle")
# What somebody wrote may name anybody.
_WRITTEN = _words(
    "comment note notes remark remarks message memo feedback kommentar bemerkung notiz commentaire"
)
# Of a person only beside what else is kept of one: shops have such as well.
_WHERE = _words("lat lon lng long latitude longitude geo geolocation coordinates geopoint")
_NAME = _words("name nom nome nombre naam")
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
    approver assignee creator reporter
    benutzer cliente empleado klant klanten kunde kunden medewerker mitarbeiter usuario utilisateur
    """
)
# Who does it, in `created_by`, is a person mostly, and not where rows are `sorted_by` something.
_DONE = re.compile(r".{2,}ed|done|made|paid|seen|sent|sold|taken|written")
_DONE_BY_NOBODY = _words(
    """
    caused divided followed grouped increased limited multiplied ordered partitioned powered ranked
    reduced replaced sorted triggered
    """
)
_GIVEN = _words("assigned delegated escalated issued lent reporting reports")
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


def looks_personal(name: str, table: str = "", beside: Collection[str] = ()) -> bool:
    """Whether a column's name says that it may lead to a person, in any spelling of its words.

    table: that it is of: what is called `name` alone is that of a person in `crm.customers`.
    beside: the columns of the table: where somebody lives is told in a row of a person.
    """
    words = [one.lower() for one in _WORD.findall(name)]
    if not words or words[0] in _BEFORE or words[-1] in _BEHIND:
        return False
    if _OF_PERSONS.intersection((*words, *map("".join, pairwise(words)))) or words[-1] in _WRITTEN:
        return True
    if _WHERE.intersection(words[-1:]):
        return any(looks_personal(one, table) for one in beside)
    if len(words) == 1 and words[0] in _NAME:
        of = [one.lower() for one in _WORD.findall(table.rpartition(".")[2]) if len(one) > 2]
        return any(map(_is_person, of[-1:]))
    doer = words[:-1] if words[-1] == "name" else words
    if _is_doer(*doer[-2:]):
        return True
    whose = [one for one, other in pairwise(words) if other == "name" or other in _LOGIN]
    whose += [words[0].removesuffix("name")] if len(words) == 1 else []
    return (len(words) == 1 and words[0] in _LOGIN) or any(map(_is_person, whose))


def _is_doer(done: str = "", how: str = "") -> bool:
    is_done = _DONE.fullmatch(done) is not None and done not in _DONE_BY_NOBODY
    return (how == "by" and is_done) or (how == "to" and done in _GIVEN)


def _is_person(word: str) -> bool:
    return word in _PERSONS or word.removesuffix("s") in _PERSONS
