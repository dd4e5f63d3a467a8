"""Word lists of the generator. Every title and tag is put together from these; none is a real film.

Titles always hold an invented name, so that they cannot be the title of an existing film.
"""

from __future__ import annotations

GENRES = (
    "Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "IMAX", "Musical", "Mystery", "Romance", "Sci-Fi",
    "Thriller", "War", "Western",
)  # fmt: skip
NO_GENRES = "(no genres listed)"

# Share of movies that carry the genre, and how much better or worse it is rated than the mean.
GENRE_SHARE = (
    0.16, 0.11, 0.055, 0.06, 0.33, 0.11, 0.075, 0.42, 0.07, 0.009,
    0.11, 0.012, 0.03, 0.055, 0.15, 0.085, 0.17, 0.035, 0.016,
)  # fmt: skip
GENRE_RATING = (
    -0.10, -0.02, 0.12, -0.14, -0.12, 0.16, 0.26, 0.16, -0.03, 0.36,
    -0.32, 0.06, 0.02, 0.14, 0.00, -0.06, -0.02, 0.26, 0.08,
)  # fmt: skip

ONSETS = (
    "b", "br", "c", "cal", "d", "dr", "el", "f", "g", "gr", "h", "il", "j", "k", "kr", "l", "m",
    "mar", "n", "or", "p", "qu", "r", "s", "st", "t", "tal", "th", "v", "vel", "w", "z",
)  # fmt: skip
MIDDLES = (
    "abri", "ado", "aku", "ami", "ando", "aver", "avi", "ebo", "edri", "eka", "emu", "enda",
    "eri", "esto", "evo", "idra", "ilo", "ima", "indo", "iru", "ista", "obri", "odu", "olli",
    "omi", "onda", "ope", "orra", "ovi", "ubra", "udi", "ulme", "umbra", "unti", "uro", "yla",
)  # fmt: skip
CODAS = (
    "", "l", "m", "n", "r", "s", "x", "ck", "dor", "gard", "lia", "line", "mont", "nia", "quist",
    "ra", "rast", "rin", "ros", "sk", "ston", "ta", "th", "va", "vane", "vic", "wen", "zan",
)  # fmt: skip
ADJECTIVES = (
    "Amber", "Bitter", "Borrowed", "Broken", "Burning", "Careless", "Crooked", "Distant",
    "Electric", "Endless", "Fallen", "Forgotten", "Frozen", "Gentle", "Golden", "Hidden",
    "Hollow", "Honest", "Hungry", "Late", "Little", "Lonely", "Lucky", "Midnight", "Naked",
    "Nervous", "Ordinary", "Painted", "Paper", "Quiet", "Restless", "Sacred", "Second", "Silver",
    "Sleeping", "Stolen", "Strange", "Sunken", "Tender", "Twelve", "Velvet", "Wandering",
    "Wicked", "Winter",
)  # fmt: skip
NOUNS = (
    "Accountants", "Archive", "Bakery", "Balcony", "Brother", "Carnival", "Cartographer",
    "Cathedral", "Clockmaker", "Cousins", "Daughter", "Detective", "Engine", "Ferry", "Fever",
    "Gambler", "Garden", "Ghosts", "Harbor", "Highway", "Horizon", "House", "Inheritance",
    "Island", "Kitchen", "Lantern", "Letters", "Lighthouse", "Locksmith", "Machine", "Map",
    "Mask", "Mirror", "Neighbors", "Night", "Orchard", "Orchestra", "Passage", "Pilot",
    "Promise", "Racers", "River", "Robots", "Secret", "Shadow", "Singer", "Snow", "Soldier",
    "Station", "Stranger", "Summer", "Teacher", "Train", "Treasure", "Twins", "Umbrella",
    "Violin", "Voyage", "Wedding", "Widow", "Window", "Witness", "Wolves",
)  # fmt: skip
FOREIGN = (
    "Der stille Garten von {0}", "La última noche en {0}", "Le garçon de {0}",
    "Où est passée {0}?", "¿Dónde está {0}?", "A viagem à {0}", "Il était une fois {0}",
    "Høst i {0}", "Kärlek på {0}", "Žena z města {0}", "Dziewczyna znad rzeki {0}",
    "{0}’nin gölgesi", "Тени над рекой {0}", "Последний поезд в {0}", "{0}の静かな夜",
    "{0}的最后一封信", "{0}의 겨울", "ليل {0} الطويل", "Το νησί της {0}", "הלילה של {0}",
)  # fmt: skip

PRAISE = (
    "masterpiece", "brilliant acting", "great soundtrack", "beautiful", "beautifully filmed",
    "clever", "must see", "thought-provoking", "visually appealing", "hilarious", "moving",
    "great ending", "underrated", "favorite", "rewatchable", "witty dialogue", "superb",
    "perfect cast", "unforgettable", "charming", "inspiring", "classic", "Oscar-worthy",
    "quotable",
)  # fmt: skip
COMPLAINT = (
    "boring", "overrated", "predictable", "bad acting", "too long", "waste of time",
    "plot holes", "stupid ending", "bad dialogue", "disappointing", "pointless", "cheesy",
    "poor script", "unfunny", "slow", "did not finish", "annoying characters", "clichéd",
    "pretentious", "bad CGI", "forgettable", "weak plot", "badly dubbed", "worst movie ever",
)  # fmt: skip
GENRE_TAGS: dict[str, tuple[str, ...]] = {
    "Action": ("action", "chase", "fight scenes", "explosions", "martial arts", "stunts"),
    "Adventure": ("adventure", "quest", "treasure", "jungle", "pirates", "epic"),
    "Animation": ("animation", "anime", "stop motion", "talking animals", "hand drawn", "cute"),
    "Children": ("family", "kids", "fairy tale", "toys", "school", "holiday"),
    "Comedy": ("comedy", "funny", "satire", "slapstick", "parody", "dark comedy"),
    "Crime": ("crime", "heist", "mafia", "gangsters", "police", "prison"),
    "Documentary": ("documentary", "nature", "politics", "interviews", "history", "science"),
    "Drama": ("drama", "family drama", "mental illness", "coming of age", "sad", "tearjerker"),
    "Fantasy": ("fantasy", "magic", "dragons", "mythology", "wizards", "surreal"),
    "Film-Noir": ("film noir", "femme fatale", "black and white", "private eye", "shadows"),
    "Horror": ("horror", "ghosts", "zombies", "vampires", "slasher", "creepy"),
    "IMAX": ("imax", "big screen", "3D", "spectacle"),
    "Musical": ("musical", "singing", "dance", "broadway", "songs"),
    "Mystery": ("mystery", "whodunit", "twist ending", "detective", "clues"),
    "Romance": ("romance", "love story", "wedding", "chick flick", "love triangle"),
    "Sci-Fi": ("sci-fi", "space", "time travel", "aliens", "robots", "dystopia"),
    "Thriller": ("thriller", "suspense", "psychological", "conspiracy", "serial killer", "tense"),
    "War": ("war", "World War II", "soldiers", "vietnam", "anti-war", "military"),
    "Western": ("western", "cowboys", "gunfight", "desert", "outlaws"),
}
THEMES = (
    "atmospheric", "quirky", "stylized", "nonlinear", "ensemble cast", "based on a book",
    "based on a true story", "remake", "sequel", "low budget", "cult film", "independent film",
    "subtitles", "small town", "new york", "paris", "london", "road trip", "summer", "winter",
    "christmas", "friendship", "revenge", "memory", "dreams", "religion", "philosophy",
    "narrated", "voice-over", "long takes", "cinematography", "music", "jazz", "food", "cats",
    "dogs", "chess", "boxing", "football", "journalism", "lawyers", "hospital", "trains",
    "ocean", "mountains", "immigrants", "siblings", "mother-daughter relationship", "twins",
    "1920s", "1970s", "childhood", "old age", "betrayal", "greed", "loneliness", "obsession",
    "redemption", "In queue", "seen at the cinema", "own on DVD", "to watch", "R", "PG-13",
)  # fmt: skip
# What real tag files hold and a parser can trip over.
AWKWARD_TAGS = (
    '"artsy"', 'the "other" ending', "slow, but good", "love, loss, and cake", "Mafia", "FUNNY",
    "Sci-fi", "feel-good!!!", "100% silly", "clichés", "déjà vu", "фантастика", "静か", "مؤثر",
    "bd-r", "007-ish", "1", "=great", "it's | complicated", "good :)", "null", "N/A",
)  # fmt: skip
