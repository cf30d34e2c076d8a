"""Why a human should come at once: each reason in each language, and what only sounds like one."""

import sys
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from functions.classify.notation import LONGEST_WORD, pattern, tokens
from functions.classify.urgency import REASONS, RULES, Urgent, read_rules, urgent

# By reason: English, German, Spanish, French, Portuguese, Italian, Dutch.
ALARMS = {
    "self_harm": (
        "After this letter from your collections team I just want to die, I mean it",
        "Ich will nicht mehr leben, diese Schulden machen mich fertig",
        "Con esta deuda ya no quiero vivir, no sé a quién decírselo",
        "Je n'ai plus envie de vivre, et vous m'envoyez encore un rappel",
        "Não aguento mais viver assim, com as vossas cartas todos os dias",
        "Non voglio più vivere, ogni giorno una vostra lettera",
        "Ik wil niet meer leven, elke dag weer een brief van jullie",
    ),
    "safety": (
        "The kettle you sold me is sparking and there's a burning smell in the kitchen",
        "Aus der Steckdose kommt Rauch und es riecht verbrannt, was soll ich tun?",
        "Huele a gas en el portal desde esta mañana y nadie viene",
        "Ma fille a fait une réaction allergique, les noisettes ne sont pas sur l'étiquette",
        "Encontrei um pedaço de vidro na sopa do meu filho",
        "Il caricabatterie ha preso fuoco mentre dormivamo",
        "Mijn zoontje ligt in het ziekenhuis na jullie kipsalade",
    ),
    "injury": (
        "I broke my arm when your chair collapsed under me",
        "Mein Sohn hat sich die Hand an Ihrem Herd verbrannt und liegt im Krankenhaus",
        "Me quemé la mano con la sartén que me vendisteis",
        "Je me suis coupé la main sur le bord de votre boîte",
        "Caí na vossa loja e fui parar ao hospital",
        "Mia figlia si è fatta male con il vostro passeggino",
        "Mijn moeder is in jullie winkel gevallen en heeft haar heup gebroken, ze moest naar het"
        " ziekenhuis",
    ),
    "bereavement": (
        "My mother passed away last week, how do I close her account?",
        "Mein Vater ist letzte Woche verstorben, wie kündige ich seinen Vertrag?",
        "Mi padre ha fallecido y seguís cobrando su línea",
        "Mon mari est décédé en mars et vous continuez à lui écrire",
        "A minha mãe faleceu e continuam a cobrar",
        "È mancata mia nonna, come disdico la sua linea?",
        "Mijn vader is vorige week overleden, hoe zeg ik zijn abonnement op?",
    ),
    "security": (
        "Someone has hacked my account and changed the email address",
        "Mein Konto wurde gehackt, jemand bestellt auf meinen Namen",
        "Me han hackeado la cuenta y hay compras que no reconozco",
        "Mon compte a été piraté, il y a des achats que je n'ai jamais faits",
        "A minha conta foi invadida e há compras que não fiz",
        "Mi hanno clonato la carta, vedo pagamenti mai autorizzati",
        "Mijn account is gehackt en er zijn bestellingen die ik niet heb gedaan",
    ),
    "money_gone": (
        "My salary has disappeared, it was there this morning and now it is gone",
        "Mein Gehalt ist verschwunden, auf dem Konto ist nichts",
        "Mi nómina ha desaparecido de la cuenta, ¿dónde está mi dinero?",
        "Mon virement a disparu, où est mon argent ?",
        "O meu salário desapareceu da conta, onde está o meu dinheiro?",
        "Il mio stipendio è sparito, dove sono i miei soldi?",
        "Mijn salaris is verdwenen, waar is mijn geld?",
    ),
    "locked_out": (
        "Stranded at the airport with two children and no hotel, please help",
        "Wir sind gestrandet, kein Bus mehr und das Hotel hat zu",
        "Estamos tirados en el aeropuerto con dos niños y sin hotel",
        "Nous sommes bloqués à l'aéroport sans hôtel depuis cette nuit",
        "Fiquei trancada fora de casa, a fechadura nova não abre",
        "Siamo bloccati in aeroporto da stanotte, nessuno ci aiuta",
        "We zijn gestrand op het station, er rijdt niets meer",
    ),
    "legal": (
        "You will hear from my solicitor, and I am taking this to the ombudsman",
        "Ab jetzt spricht mein Anwalt mit Ihnen",
        "Mañana hablo con mi abogado y pongo una denuncia",
        "Je vais saisir le médiateur et porter plainte",
        "Vou fazer queixa no livro de reclamações e falar com o meu advogado",
        "Ne parlerete con il mio avvocato",
        "Mijn advocaat neemt morgen contact op",
    ),
    "data_protection": (
        "Please delete all my personal data, as is my right",
        "Ich bitte um Auskunft nach Art. 15 DSGVO",
        "Quiero que borréis todos mis datos personales",
        "Merci de supprimer toutes mes données, c'est mon droit selon le RGPD",
        "Apaguem os meus dados pessoais, por favor",
        "Chiedo la cancellazione di tutti i miei dati",
        "Verwijder al mijn gegevens uit jullie systeem",
    ),
    "press": (
        "If this is not sorted by Friday I am going to the press",
        "Ich bin Journalistin und schreibe über Ihre Preise",
        "Lo voy a contar a la prensa, ya he hablado con un periodista",
        "J'en ai parlé à un journaliste, l'article sort jeudi",
        "Já falei com um jornalista sobre isto",
        "Ho già scritto a un giornalista, vediamo cosa ne pensa",
        "Ik heb een journalist gebeld over jullie",
    ),
    "repeated_contact": (
        "This is the third time I am asking, and I am still waiting for a reply",
        "Ich schreibe jetzt zum dritten Mal und bekomme keine Antwort",
        "Es la tercera vez que os escribo y nadie me contesta",
        "C'est la troisième fois que je vous écris, toujours pas de réponse",
        "É a terceira vez que escrevo e ninguém me responde",
        "È la terza volta che vi scrivo e nessuno mi risponde",
        "Dit is de derde keer dat ik mail, nog steeds geen antwoord",
    ),
}
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "nl")

# Somebody has died, in whatever words; and what only sounds like it.
MOURNING = {
    "en": (
        "We lost our daughter",
        "we buried mum yesterday",
        "I need to cancel this after grandpa's passing",
        "He took his own life",
        "My dad died on Sunday, please stop writing to him",
        "My late husband had a contract with you",
        "Mum passed away in March",
        "I lost my wife last year and you still send her letters",
        "The funeral of my brother is on Friday",
        "We have had a death in the family",
        "My nan is no longer with us",
        "Our little boy died",
        "We lost the baby",
        "My best friend was killed in an accident",
        "RIP grandad, he loved your shop",
        "I missed my dad's funeral because of your train",
        "My son lost his battle",
    ),
    "de": (
        "Meine Oma ist von uns gegangen",
        "Wir haben unsere Mutter verloren",
        "Abschied von Oma, und der Kranz kam nicht",
        "Mein Vater ist gestern gestorben",
        "Meine Lebensgefährtin ist verstorben",
        "Gestern starb mein Bruder",
        "Der Tod meines Vaters hat uns alle getroffen",
        "Wir haben Opa letzte Woche beerdigt",
        "Meine Großmutter ist tot",
        "Ich habe meinen Mann vor zwei Jahren verloren",
        "Nach Omas Tod kommt immer noch Post",
        "Unser Sohn ist tödlich verunglückt",
        "Wir trauern um unsere Tochter",
        "Mein Bruder hat sich das Leben genommen",
    ),
    "es": (
        "Perdí a mi hijo",
        "Mi abuela nos dejó ayer",
        "Mi padre murió el lunes",
        "Ha muerto mi marido",
        "La muerte de mamá nos ha roto",
        "Enterramos a papá ayer",
        "Hemos perdido a nuestra hija",
        "Tras el fallecimiento de mi abuelo seguís cobrando",
        "Mi hermano se quitó la vida",
        "Mi mujer falleció en abril",
        "El entierro de mi tía es mañana",
        "Mi madre ya no está con nosotros",
        "Soy viuda desde enero",
    ),
    "fr": (
        "la mort de papa",
        "Nous avons perdu notre fille",
        "Mon père est mort hier",
        "Ma grand-mère nous a quittés",
        "J'ai perdu mon mari l'an dernier",
        "On a enterré maman jeudi",
        "Ma femme est décédée",
        "Suite au décès de mon frère",
        "Mamie s'est éteinte dimanche",
        "Mon fils s'est donné la mort",
        "Les obsèques de mon oncle sont demain",
        "J'ai perdu maman",
        "Je suis veuve depuis mars",
    ),
    "pt": (
        "Perdemos a nossa avó",
        "O meu pai morreu ontem",
        "Perdi minha mãe no mês passado",
        "A minha mulher faleceu",
        "A morte do meu irmão",
        "Enterrámos o avô na sexta",
        "A minha avó partiu ontem",
        "O meu filho deixou-nos",
        "Perdemos o bebé",
        "Depois do funeral da minha tia",
        "A minha mãe já não está entre nós",
        "Sou viúva há um ano",
        "O titular da conta faleceu",
    ),
    "it": (
        "Abbiamo perso il nonno",
        "Mio padre è morto ieri",
        "Ho perso mia madre",
        "La morte di papà",
        "Mia nonna ci ha lasciati",
        "È mancata la mia mamma",
        "Il nonno non c'è più",
        "Dopo la scomparsa di mio marito",
        "Abbiamo seppellito la nonna",
        "Mio fratello si è tolto la vita",
        "Il funerale di mio zio è domani",
        "Mia moglie è deceduta a marzo",
        "Nostro figlio se n'è andato troppo presto",
        "Sono vedova da un anno",
    ),
    "nl": (
        "Mijn moeder is gestorven",
        "We hebben oma verloren",
        "Mijn vader is dood",
        "Ik heb mijn man vorig jaar verloren",
        "Na het overlijden van mijn broer",
        "We hebben opa gisteren begraven",
        "Mijn oma is er niet meer",
        "Gisteren overleed mijn tante",
        "De begrafenis van papa is vrijdag",
        "Onze dochter is verongelukt",
        "We namen afscheid van onze moeder",
        "Mijn zoon is uit het leven gestapt",
        "Ik ben weduwe",
    ),
}
NO_MOURNING = {
    "en": (
        "we lost our daughter at the airport for ten minutes",
        "lost my mum's parcel",
        "You lost my parents' luggage",
        "dead battery after a week",
        "My phone died, thanks for nothing",
        "You lot are killing it",
        "My mum is dead chuffed with her coat",
        "My husband nearly died when he saw the bill",
        "My dad loved it, he died laughing",
        "My daughter lost her ticket",
        "My son's passing grade depends on this laptop",
        "I lost my son in your store, and your staff found him",
    ),
    "de": (
        "Wir haben unsere Tochter am Flughafen zehn Minuten verloren",
        "Das Paket meiner Mutter ist verloren",
        "Mein Akku ist tot",
        "Mein Mann hat die Karte verloren",
        "Die Karte, die meine Frau verloren hat",
        "Meine Tochter ist vor Lachen fast gestorben",
        "Das Internet ist tot",
        "Mein Kind ist beim Warten eingeschlafen",
        "Gibt es einen Nachlass für Studierende?",
        "Meine Lebensgefährtin fragt nach der Rechnung",
    ),
    "es": (
        "Perdí a mi hijo en la tienda durante diez minutos",
        "Habéis perdido el paquete de mi madre",
        "Mi móvil ha muerto",
        "Mi abuela nos dejó su tarjeta para comprar",
        "Me muero de hambre",
        "Mi hermana casi se muere de risa",
        "El repartidor nos dejó plantados",
        "Mi hijo ha perdido la tarjeta",
    ),
    "fr": (
        "Vous avez perdu la valise de ma fille",
        "Nous avons perdu notre fils à l'aéroport dix minutes",
        "Ma batterie est morte",
        "Ma fille est morte de rire",
        "Mon mari a perdu sa carte",
        "Mon téléphone est mort",
        "J'ai failli mourir de honte devant ma mère",
        "Ma sœur est partie avec le colis",
    ),
    "pt": (
        "Perdi o meu filho no aeroporto dez minutos",
        "Perderam a encomenda da minha mãe",
        "O meu telemóvel morreu",
        "A minha irmã morreu de rir",
        "O meu filho perdeu o bilhete",
        "Morri de vergonha à frente do meu pai",
        "O estafeta deixou-nos à espera",
        "O meu pai partiu o telemóvel",
    ),
    "it": (
        "Ho perso mio figlio in aeroporto per dieci minuti",
        "Avete perso la valigia di mia madre",
        "La batteria è morta",
        "Mia sorella è morta dal ridere",
        "Mio marito ha perso la tessera",
        "Il tecnico ci ha lasciati a piedi",
        "Mia madre mi ha lasciato la tessera",
        "È mancata la corrente dalla nonna",
    ),
    "nl": (
        "We hebben onze zoon op het vliegveld tien minuten verloren",
        "Jullie hebben het pakket van mijn moeder verloren",
        "Mijn telefoon is dood",
        "Mijn man heeft zijn kaart verloren",
        "Mijn zus heeft zich dood gelachen",
        "De accu is dood",
        "Mijn vriendin is bijna gestorven van schaamte",
        "Mijn dochter is haar kaartje verloren",
    ),
}

# Hurt by what was sold: injury, and the danger lasts.
HURT = {
    "en": ("your heater burned my child's hand", "My son burnt himself on your heater"),
    "de": (
        "Mein Sohn hat sich an eurem Heizlüfter verbrannt",
        "Euer Herd hat meinem Kind die Hand verbrannt",
        "Ich habe mir beide Hände verbrüht",
    ),
    "es": ("Mi hijo se quemó con vuestro radiador", "El radiador le quemó la mano a mi hija"),
    "fr": ("Mon fils s'est brûlé avec votre radiateur", "Il a brûlé la main de mon enfant"),
    "pt": ("O meu filho queimou-se no aquecedor", "O aquecedor queimou a mão da minha filha"),
    "it": ("Mio figlio si è bruciato", "La stufa ha bruciato la mano a mio figlio"),
    "nl": (
        "Mijn zoon heeft zich aan jullie kachel verbrand",
        "De kachel heeft de hand van mijn kind verbrand",
    ),
}

IDIOMS = (
    "dying laughing at this advert 😂",
    "You lot are killing it this season",
    "I ate the last one, sue me lol",
    "Which one? I press the button and the light goes green",
    "Gas prices are a joke this winter",
    "He looks smoking hot in your new coat",
    "I could kill for a pizza right now",
    "This cake is to die for",
    "I nearly killed myself laughing",
    "That new track is straight fire",
    "The whole team is on fire today 🔥",
    "My head is about to explode with all these tariffs",
    "The sauce is an explosion of flavour",
    "It costs an arm and a leg but I love it",
    "Dangerously good biscuits, one pack gone already",
    "Fire sale on Saturday? I'll be there",
    "Do you sell blood orange juice?",
    "I am allergic to Mondays",
    "Is the food court open on Sundays?",
    "My favourite life hack: buy two of them",
    "You stole my heart with that window display",
    "Shut up and take my money!",
    "I need a French press, do you have one?",
    "See it on our social media this weekend",
    "Can't wait for Friday!",
    "Ich lach mich tot, wie gut ist das denn",
    "Der neue Song ist der Hammer, ich sterbe vor Lachen",
    "Me muero de hambre, ¿a qué hora abrís?",
    "Me muero de risa con vuestro anuncio",
    "Je suis morte de rire devant votre pub",
    "J'ai failli mourir de rire",
    "Vou morrer de rir com este anúncio",
    "Sto per morire dal ridere",
    "Muoio di fame, siete aperti?",
    "Ik lach me dood om die reclame",
    "Heeft u ook een fles advocaat?",
    "I nearly died laughing, my mum too",
    "My phone died during the match",
    "That price hurt my feelings",
    "It hurt my wallet but I love it",
    "I work in a hospital, is there a discount for staff?",
    "My data plan ran out, how do I buy more?",
    "How do I turn off mobile data abroad?",
    "Mein Datenvolumen ist aufgebraucht",
    "Gibt es einen Preisnachlass für Studierende?",
    "Artikel 15 aus dem Katalog ist ausverkauft?",
    "Ma batterie est morte au bout d'un an",
    "Je suis morte de faim, vous êtes ouverts ?",
    "En vuestra tienda me muero de frío",
    "Oggi è mancata la luce, lo sapete?",
    "Acabaram os dados móveis, quanto custa um pacote?",
    "Mijn mobiele data is op",
    "Avez-vous des avocats mûrs pour le guacamole ?",
    "Quelle est la presse agrumes la moins chère ?",
)

NEGATIONS = (
    "Small bump in your car park, no injuries",
    "Nobody was hurt, just a scratch on the paint",
    "There is no danger, is there? Just asking before I buy",
    "Zum Glück wurde niemand verletzt",
    "Por suerte no hubo heridos",
    "Heureusement, pas de blessés",
    "Felizmente não houve feridos",
    "Per fortuna nessun ferito",
    "Gelukkig is niemand gewond",
)

ORDINARY = (
    "",
    "Thanks, you were lovely!",
    "What time do you open on Sunday?",
    "Mein Paket kam zwei Tage zu spät",
    "¿Tenéis este vestido en rojo?",
    "Merci pour votre aide",
    "Quanto custa o plano de dados?",
    "Il treno è in ritardo di dieci minuti",
    "Hebben jullie deze schoenen in maat 43?",
)


def _reasons(text: str) -> list[str]:
    return [one.reason for one in urgent(text)]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        pytest.param(reason, text, id=f"{reason}-{language}")
        for reason, texts in ALARMS.items()
        for language, text in zip(LANGUAGES, texts, strict=True)
    ],
)
def test_each_reason_in_each_language(reason: str, text: str) -> None:
    assert reason in _reasons(text)


def _by_language(table: dict[str, tuple[str, ...]]) -> list[Any]:
    return [
        pytest.param(text, id=f"{language}-{number}")
        for language, texts in table.items()
        for number, text in enumerate(texts)
    ]


@pytest.mark.parametrize("text", _by_language(MOURNING))
def test_mourning_is_heard_in_whatever_words(text: str) -> None:
    assert "bereavement" in _reasons(text)


@pytest.mark.parametrize("text", _by_language(NO_MOURNING))
def test_nobody_is_mourned_who_is_alive(text: str) -> None:
    assert "bereavement" not in _reasons(text)


@pytest.mark.parametrize("text", _by_language(HURT))
def test_who_is_hurt_by_what_was_sold_is_hurt_and_in_danger(text: str) -> None:
    assert {"injury", "safety"} <= set(_reasons(text))


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("self_harm", "Ich bin lebensmüde"),
        ("self_harm", "Ich will mich erhängen"),
        ("self_harm", "Ich moechte nicht mehr leben"),
        ("injury", "Meine Tochter hat eine Gehirnerschütterung"),
    ],
)
def test_german_is_read_with_its_umlauts_and_without(reason: str, text: str) -> None:
    assert reason in _reasons(text)


@pytest.mark.parametrize("text", [*IDIOMS, *NEGATIONS, *ORDINARY])
def test_what_only_sounds_urgent_is_not(text: str) -> None:
    assert urgent(text) == ()


def test_the_most_serious_reason_comes_first_whatever_the_text_says_first() -> None:
    text = "Third time I write. My lawyer knows. The charger caught fire and I want to die."
    assert _reasons(text) == ["self_harm", "safety", "legal", "repeated_contact"]


def test_an_idiom_does_not_hide_an_alarm_beside_it() -> None:
    assert _reasons("dying laughing, but really: I smell gas in the hall") == ["safety"]


@pytest.mark.parametrize(
    "text",
    [
        "the boiler is on fire",
        "my phone exploded on the desk",
        "there's a smell of smoke from the socket",
        "it won't stop smoking, what do I do",
    ],
)
def test_an_idioms_words_meant_as_they_stand_are_an_alarm(text: str) -> None:
    assert _reasons(text) == ["safety"]


def test_languages_may_be_mixed_in_one_text() -> None:
    assert _reasons("hola, my account was hacked, c'est la troisième fois que je vous écris") == [
        "security",
        "repeated_contact",
    ]


def test_the_customers_words_are_quoted_as_written() -> None:
    [found] = urgent("Hello. I am going to see my SOLICITOR about it")
    assert found.words == ("SOLICITOR",)
    assert isinstance(found, Urgent)


@pytest.mark.parametrize(
    "text",
    [
        "HACKED!!!",
        "haaaacked",
        "my acct got hacked 😡",
        "hácked",
        "#hacked",
        "ｈａｃｋｅｄ",
    ],
)
def test_however_it_is_typed(text: str) -> None:
    assert _reasons(text) == ["security"]


@pytest.mark.parametrize(
    "text", ["@hacked hello", "https://hacked.example/lawyer", "www.lawyer.com"]
)
def test_handles_and_links_are_no_words(text: str) -> None:
    assert urgent(text) == ()


# --- any text -------------------------------------------------------------------------------------

_ANYTHING = st.text(st.characters(exclude_categories=()))  # lone surrogates too
_SAID = st.lists(
    st.sampled_from([word for texts in ALARMS.values() for one in texts for word in one.split()]),
    max_size=40,
).map(" ".join)


@given(_ANYTHING | _SAID | st.tuples(_ANYTHING, _SAID).map("".join))
def test_every_text_has_an_answer_and_always_the_same(text: str) -> None:
    found = urgent(text)
    assert found == urgent(text)
    reasons = [one.reason for one in found]
    assert reasons == [reason for reason in REASONS if reason in reasons]
    assert all(one.words for one in found)
    for one in found:
        for words in one.words:
            assert all(part in text for part in words.split(" … "))


@given(_SAID)
def test_capitals_make_no_difference(text: str) -> None:
    assert _reasons(text) == _reasons(text.upper()) == _reasons(text.lower())


@given(_ANYTHING)
def test_words_stand_where_they_were_found(text: str) -> None:
    for one in tokens(text):
        assert 0 <= one.start < one.end <= len(text)
        assert len(one.word) <= LONGEST_WORD


# --- the work grows with the text -----------------------------------------------------------------


def _calls(task: Callable[[], object]) -> int:
    """How many functions were called, which is the same on every machine."""
    count = 0

    def counted(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        task()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        "my ",
        "third time ",
        "account frozen ",
        "my account my money gone my account ",
        "not not dying laughing ",
        "1 2 3 £ ",
        "can't can't ",
        "allerg allergic label ",
        "ignored ignoring emails again ",
    ],
)
def test_work_grows_with_the_text(unit: str) -> None:
    urgent(unit * 50)
    small, large = (_calls(lambda n=n: urgent(unit * n)) for n in (50, 400))  # type: ignore[misc]
    assert large <= small * 8 * 1.5


# --- mistakes in the file -------------------------------------------------------------------------


def _file() -> Any:
    return {
        "near": 6,
        "lists": {"en": {"body": ["hand", "arm"]}},
        "rules": {reason: {} for reason in REASONS},
    }


def test_the_shipped_file_can_be_read_and_has_rules_for_every_language() -> None:
    loaded = yaml.safe_load(RULES.read_text("utf-8"))
    read_rules(loaded)
    for reason in REASONS:
        assert set(loaded["rules"][reason]) == set(LANGUAGES), reason


def test_a_small_file_works() -> None:
    file = _file()
    file["rules"]["safety"]["en"] = {"alarm": ["burnt my {body}"], "not": ["not burnt my arm"]}
    read_rules(file)


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("burnt {face}", "there is no list 'face'"),
        ("burnt (my", "cannot read"),
        ("burnt ((my|his) hand)", "cannot read"),
        ("", "cannot read"),
        ("+ hand", "cannot read"),
        ("a* hand", "too short"),
        ("*", "too short"),
        ("maybe? hand?", "every text"),
    ],
)
def test_a_mistake_is_named_by_its_place(rule: str, why: str) -> None:
    file = _file()
    file["rules"]["safety"]["en"] = {"alarm": ["burnt hand", rule], "not": []}
    with pytest.raises(ValueError, match=r"safety\.en\.alarm\.1") as raised:
        read_rules(file)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file["rules"].pop("press"),
        lambda file: file["rules"].update(weather={}),
        lambda file: file["rules"]["press"].update(tlh={"alarm": ["qoH"]}),
        lambda file: file["rules"]["press"].update(en={"alarm": "lawyer"}),
        lambda file: file["rules"]["press"].update(en={"alarms": ["lawyer"]}),
        lambda file: file["rules"]["press"].update(en={"not": ["lawyer"]}),
        lambda file: file.update(near=0),
        lambda file: file.pop("lists"),
    ],
)
def test_a_file_of_another_shape_is_refused(spoil: Callable[[Any], object]) -> None:
    file = deepcopy(_file())
    spoil(file)
    with pytest.raises(ValueError, match=r"rules|near|lists"):
        read_rules(file)


def test_a_list_that_names_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="names itself"):
        pattern("{a}", {"a": ["{b}"], "b": ["{a}"]}, 5)
