"""The words of the phrase book: English lemmas, their Spanish forms, what they suit.

Plain tables, one lemma a line, columns split by `;`. Spaces part the forms, `_` joins
the words of one form (`ice_cream`), `-` stands for a form that is not used. `kinds`
says which nouns a verb or adjective goes with, so that the sentences make sense.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Noun:
    """A noun; an English or Spanish form is empty where the noun lacks that number.

    `spanish` holds singular and plural. `stressed` nouns are feminine but begin with a
    stressed a, and so take `el` and `un` (el agua fría).
    """

    english: tuple[str, str]
    gender: str
    spanish: tuple[str, str]
    kinds: frozenset[str]
    stressed: bool


@dataclass(frozen=True)
class Adjective:
    """An adjective: `spanish` is (masculine, feminine) singular, then plural.

    `copula` is the Spanish verb it takes in "is red"; `comparative` is empty, and
    "very" out of place, where there is no more or less of it.
    """

    english: str
    comparative: str
    spanish: tuple[str, str, str, str]
    copula: str
    kinds: frozenset[str]


@dataclass(frozen=True)
class Verb:
    """A verb: `present` for I, you, he, we, they; `preterite` for he, they.

    `past` and `preterite` are empty for verbs whose English past looks like the
    present; `gerund` is empty for those that are not used in the progressive.
    """

    base: str
    third: str
    past: str
    gerund: str
    particle: str
    infinitive: str
    present: tuple[str, ...]
    preterite: tuple[str, ...]
    spanish_gerund: str
    objects: frozenset[str]


@dataclass(frozen=True)
class Expression:
    """A fixed expression and, per Spanish word, the English words it links to."""

    english: tuple[str, ...]
    spanish: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]


_NOUNS = """
man men; m hombre hombres; person public
woman women; f mujer mujeres; person public
boy boys; m niño niños; person public
girl girls; f niña niñas; person public
father -; m padre -; person family
mother -; f madre -; person family
brother brothers; m hermano hermanos; person family
sister sisters; f hermana hermanas; person family
grandmother -; f abuela -; person family
teacher teachers; m profesor profesores; person
doctor doctors; m médico médicos; person
nurse nurses; f enfermera enfermeras; person
neighbour neighbours; m vecino vecinos; person
student students; m estudiante estudiantes; person
police_officer police_officers; m policía policías; person public
classmate classmates; m compañero_de_clase compañeros_de_clase; person
dog dogs; m perro perros; animal
cat cats; m gato gatos; animal
horse horses; m caballo caballos; animal
cow cows; f vaca vacas; animal public
bird birds; m pájaro pájaros; animal
eagle eagles; f* águila águilas; animal public
mouse mice; m ratón ratones; animal
bread -; m pan -; food
soup -; f sopa -; food warm
rice -; m arroz -; food
cheese -; m queso -; food
apple apples; f manzana manzanas; food
egg eggs; m huevo huevos; food
tomato tomatoes; m tomate tomates; food
cake cakes; m pastel pasteles; food
biscuit biscuits; f galleta galletas; food
ice_cream ice_creams; m helado helados; food
water -; f* agua -; drink warm
milk -; f leche -; drink warm
coffee -; m café -; drink warm
tea -; m té -; drink warm
wine -; m vino -; drink
orange_juice -; m zumo_de_naranja -; drink
book books; m libro libros; thing reading small
letter letters; f carta cartas; reading writing small
newspaper newspapers; m periódico periódicos; reading small
poem poems; m poema poemas; reading writing small
story stories; m cuento cuentos; reading writing small
envelope envelopes; m sobre sobres; thing opening small
map maps; m mapa mapas; thing small
key keys; f llave llaves; thing small
lamp lamps; f lámpara lámparas; thing
clock clocks; m reloj relojes; thing
pencil pencils; m lápiz lápices; thing small
flower flowers; f flor flores; thing small
cup cups; f taza tazas; thing dish small
plate plates; m plato platos; thing dish small
bottle bottles; f botella botellas; thing dish small
ball balls; f pelota pelotas; thing small
toy toys; m juguete juguetes; thing solid small
umbrella umbrellas; m paraguas paraguas; thing small
toothbrush toothbrushes; m cepillo_de_dientes cepillos_de_dientes; thing small
credit_card credit_cards; f tarjeta_de_crédito tarjetas_de_crédito; thing small
wheelchair wheelchairs; f silla_de_ruedas sillas_de_ruedas; thing
washing_machine washing_machines; f lavadora lavadoras; thing
vacuum_cleaner vacuum_cleaners; f aspiradora aspiradoras; thing
guitar guitars; f guitarra guitarras; thing instrument
piano pianos; m piano pianos; thing instrument
violin violins; m violín violines; thing instrument
box boxes; f caja cajas; thing container opening solid
cupboard cupboards; m armario armarios; container opening solid
drawer drawers; m cajón cajones; container opening solid
suitcase suitcases; f maleta maletas; thing container opening
bag bags; f bolsa bolsas; thing container opening
door doors; f puerta puertas; opening solid
window windows; f ventana ventanas; opening
table tables; f mesa mesas; thing surface solid
chair chairs; f silla sillas; thing surface solid
bed beds; f cama camas; thing surface solid
shirt shirts; f camisa camisas; clothes
dress dresses; m vestido vestidos; clothes
skirt skirts; f falda faldas; clothes
coat coats; m abrigo abrigos; clothes
hat hats; m sombrero sombreros; clothes
- shoes; m - zapatos; clothes
- sunglasses; f - gafas_de_sol; clothes
car cars; m coche coches; vehicle
lorry lorries; m camión camiones; vehicle
bus buses; m autobús autobuses; vehicle transport
train trains; m tren trenes; transport
house houses; f casa casas; place building
kitchen -; f cocina -; place building
garden -; m jardín -; place
school -; f escuela -; place building
classroom classrooms; f* aula aulas; place building
library -; f biblioteca -; place building public
museum -; m museo -; place building public
church -; f iglesia -; place building public
market -; m mercado -; place public
park -; m parque -; place public
village -; m pueblo -; place
city -; f ciudad -; place
forest -; m bosque -; place public
bookshop -; f librería -; place building public
shoe_shop -; f zapatería -; place building public
bathroom -; m cuarto_de_baño -; place building
living_room -; m salón -; place building
train_station -; f estación_de_tren -; place building public
post_office -; f oficina_de_correos -; place building public
"""

_ADJECTIVES = """
big; bigger; grande grande grandes grandes; ser; animal thing vehicle place
small; smaller; pequeño pequeña pequeños pequeñas; ser; animal thing vehicle place
tall; taller; alto alta altos altas; ser; person
young; younger; joven joven jóvenes jóvenes; ser; person
strong; stronger; fuerte fuerte fuertes fuertes; ser; person animal
intelligent; more_intelligent; inteligente inteligente inteligentes inteligentes; \
ser; person animal
famous; more_famous; famoso famosa famosos famosas; ser; person
beautiful; more_beautiful; bonito bonita bonitos bonitas; ser; thing clothes place
ugly; uglier; feo fea feos feas; ser; thing clothes building
expensive; more_expensive; caro cara caros caras; ser; thing clothes vehicle
cheap; cheaper; barato barata baratos baratas; ser; thing clothes vehicle
interesting; more_interesting; interesante interesante interesantes interesantes; \
ser; reading
boring; more_boring; aburrido aburrida aburridos aburridas; ser; reading
modern; more_modern; moderno moderna modernos modernas; ser; vehicle building
red; -; rojo roja rojos rojas; ser; thing clothes vehicle opening
white; -; blanco blanca blancos blancas; ser; animal thing clothes vehicle opening
black; -; negro negra negros negras; ser; animal thing clothes vehicle
blue; -; azul azul azules azules; ser; thing clothes vehicle opening
green; -; verde verde verdes verdes; ser; thing clothes vehicle opening
tired; more_tired; cansado cansada cansados cansadas; estar; person animal
sick; -; enfermo enferma enfermos enfermas; estar; person animal
sad; -; triste triste tristes tristes; estar; person
happy; -; contento contenta contentos contentas; estar; person
clean; cleaner; limpio limpia limpios limpias; estar; dish clothes vehicle building
dirty; dirtier; sucio sucia sucios sucias; estar; dish clothes vehicle building
broken; -; roto rota rotos rotas; estar; thing opening
open; -; abierto abierta abiertos abiertas; estar; opening building
closed; -; cerrado cerrada cerrados cerradas; estar; opening building
empty; -; vacío vacía vacíos vacías; estar; dish container building
cold; colder; frío fría fríos frías; estar; warm
hot; hotter; caliente caliente calientes calientes; estar; warm
"""

_VERBS = """
eat eats ate eating; comer como comes come comemos comen comió comieron comiendo; food
drink drinks drank drinking; beber bebo bebes bebe bebemos beben \
bebió bebieron bebiendo; drink
read reads - reading; leer leo lees lee leemos leen - - leyendo; reading
write writes wrote writing; escribir escribo escribes escribe escribimos escriben \
escribió escribieron escribiendo; writing
buy buys bought buying; comprar compro compras compra compramos compran \
compró compraron comprando; food drink thing clothes vehicle
sell sells sold selling; vender vendo vendes vende vendemos venden \
vendió vendieron vendiendo; food thing clothes vehicle
find finds found -; encontrar encuentro encuentras encuentra encontramos encuentran \
encontró encontraron -; thing clothes person reading
look looks looked looking for; buscar busco buscas busca buscamos buscan \
buscó buscaron buscando; thing clothes reading person
bring brings brought bringing; traer traigo traes trae traemos traen \
trajo trajeron trayendo; food drink thing clothes
open opens opened opening; abrir abro abres abre abrimos abren \
abrió abrieron abriendo; opening
close closes closed closing; cerrar cierro cierras cierra cerramos cierran \
cerró cerraron cerrando; opening
clean cleans cleaned cleaning; limpiar limpio limpias limpia limpiamos limpian \
limpió limpiaron limpiando; building dish opening
wash washes washed washing; lavar lavo lavas lava lavamos lavan \
lavó lavaron lavando; dish clothes vehicle
paint paints painted painting; pintar pinto pintas pinta pintamos pintan \
pintó pintaron pintando; building solid
wear wears wore wearing; llevar llevo llevas lleva llevamos llevan \
llevó llevaron llevando; clothes
play plays played playing; tocar toco tocas toca tocamos tocan \
tocó tocaron tocando; instrument
see sees saw -; ver veo ves ve vemos ven vio vieron -; person thing building
wait waits waited waiting for; esperar espero esperas espera esperamos esperan \
esperó esperaron esperando; person transport
help helps helped helping; ayudar ayudo ayudas ayuda ayudamos ayudan \
ayudó ayudaron ayudando; person
visit visits visited visiting; visitar visito visitas visita visitamos visitan \
visitó visitaron visitando; person place
sleep sleeps slept sleeping; dormir duermo duermes duerme dormimos duermen \
durmió durmieron durmiendo; self
run runs ran running; correr corro corres corre corremos corren \
corrió corrieron corriendo; self
play plays played playing; jugar juego juegas juega jugamos juegan \
jugó jugaron jugando; self
work works worked working; trabajar trabajo trabajas trabaja trabajamos trabajan \
trabajó trabajaron trabajando; self
dance dances danced dancing; bailar bailo bailas baila bailamos bailan \
bailó bailaron bailando; self
give gives gave giving; dar doy das da damos dan dio dieron dando; gift
send sends sent sending; enviar envío envías envía enviamos envían \
envió enviaron enviando; gift
want wants - -; querer quiero quieres quiere queremos quieren - - -; infinitive
have has - -; tener tengo tienes tiene tenemos tienen - - -; infinitive
"""

# Spanish words with the places of the English words they link to; `?` marks a link
# that an annotator would call possible rather than sure.
_PLACES = """
in; en:0
near; cerca:0 de:?0
behind; detrás:0 de:?0
in front of; delante:1?0 de:2
"""
_SPOTS = """
on; en:0
under; debajo:0 de:?0
near; cerca:0 de:?0
behind; detrás:0 de:?0
"""
_TIMES = {
    "present": """
every day; todos:0 los:?0?1 días:1
in the morning; por:0 la:1 mañana:2
at night; por:0 la:?0?1 noche:1
on Sundays; los:?0?1 domingos:1
today; hoy:0
""",
    "past": """
yesterday; ayer:0
last week; la:?0?1 semana:1 pasada:0
last night; anoche:0,1
""",
    "progressive": """
now; ahora:0
today; hoy:0
""",
    "going": """
tomorrow; mañana:0
tonight; esta:0 noche:0
next week; la:?0?1 semana:1 próxima:0
""",
}


def _split(table: str) -> list[list[str]]:
    rows = [line.split(";") for line in table.strip().splitlines()]
    return [[column.strip() for column in row] for row in rows]


def _forms(column: str) -> tuple[str, ...]:
    return tuple("" if form == "-" else form for form in column.split())


def _noun(english: str, spanish: str, kinds: str) -> Noun:
    one, several = _forms(english)
    gender, singular, plural = _forms(spanish)
    return Noun(
        english=(one, several),
        gender=gender[0],
        spanish=(singular, plural),
        kinds=frozenset(kinds.split()),
        stressed=gender.endswith("*"),
    )


def _adjective(base: str, more: str, forms: str, copula: str, kinds: str) -> Adjective:
    comparative = _forms(more)[0]
    man, woman, men, women = _forms(forms)
    spanish = man, woman, men, women
    return Adjective(base, comparative, spanish, copula, frozenset(kinds.split()))


def _verb(english: str, spanish: str, objects: str) -> Verb:
    base, third, past, gerund, *particle = _forms(english)
    infinitive, *forms = _forms(spanish)
    return Verb(
        base=base,
        third=third,
        past=past,
        gerund=gerund,
        particle="".join(particle),
        infinitive=infinitive,
        present=tuple(forms[:5]),
        preterite=tuple(forms[5:7]),
        spanish_gerund=forms[7],
        objects=frozenset(objects.split()),
    )


def _expression(english: str, spanish: str) -> Expression:
    linked = []
    for item in spanish.split():
        text, _, places = item.partition(":")
        sure, *possible = places.split("?")
        numbers = tuple(int(place) for place in sure.split(",") if place)
        linked.append((text, numbers, tuple(int(place) for place in possible)))
    return Expression(tuple(english.split()), tuple(linked))


def _expressions(table: str) -> tuple[Expression, ...]:
    return tuple(_expression(*row) for row in _split(table))


NOUNS = tuple(_noun(*row) for row in _split(_NOUNS))
ADJECTIVES = tuple(_adjective(*row) for row in _split(_ADJECTIVES))
VERBS = tuple(_verb(*row) for row in _split(_VERBS))
PLACES = _expressions(_PLACES)
SPOTS = _expressions(_SPOTS)
TIMES = {tense: _expressions(table) for tense, table in _TIMES.items()}
NAMES = (("Ana", "f"), ("Carmen", "f"), ("Pablo", "m"), ("Hugo", "m"))
MATERIALS = (("wooden", "madera"), ("plastic", "plástico"), ("metal", "metal"))
STATES = (("hungry", "hambre"), ("thirsty", "sed"), ("sleepy", "sueño"))
BE = ("am", "are", "is", "are", "are")
SPANISH_BE = {
    "ser": ("soy", "eres", "es", "somos", "son"),
    "estar": ("estoy", "estás", "está", "estamos", "están"),
}
CAN = ("puedo", "puedes", "puede", "podemos", "pueden")
GO = ("voy", "vas", "va", "vamos", "van")
# English singular and plural; Spanish masculine and feminine singular, then plural.
DEFINITE = (
    (("the", "the"), ("el", "la", "los", "las")),
    (("this", "these"), ("este", "esta", "estos", "estas")),
    (("that", "those"), ("ese", "esa", "esos", "esas")),
    (("my", "my"), ("mi", "mi", "mis", "mis")),
    (("your", "your"), ("tu", "tu", "tus", "tus")),
    (("our", "our"), ("nuestro", "nuestra", "nuestros", "nuestras")),
    (("his", "his"), ("su", "su", "sus", "sus")),
    (("her", "her"), ("su", "su", "sus", "sus")),
)
INDEFINITE = (
    (("a", "some"), ("un", "una", "unos", "unas")),
    (("a", "two"), ("un", "una", "dos", "dos")),
    (("a", "three"), ("un", "una", "tres", "tres")),
    (("a", "many"), ("un", "una", "muchos", "muchas")),
)
# Subject, object, Spanish object, Spanish subject (empty where Spanish drops it).
PRONOUNS = (
    ("I", "me", "me", ""),
    ("you", "you", "te", ""),
    ("he", "him", "lo", "él"),
    ("we", "us", "nos", ""),
    ("they", "them", "los", ""),
    ("she", "her", "la", "ella"),
)
