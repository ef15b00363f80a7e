import numpy as np
import pytest

from captioning.checks import MAX_CHARS, caption_fault
from captioning.languages import PROFILES, language_fault

SENTENCES = {
    "de": "Eine rote Tasse mit einem runden Henkel steht auf dem hellen Tisch aus Holz.",
    "en": "A red mug with a round handle stands on the pale table of wood.",
    "es": "Una taza roja con un asa redonda está sobre la mesa clara de madera.",
    "fr": "Une tasse rouge avec une anse ronde est posée sur la table claire en bois.",
    "it": "Una tazza rossa con un manico rotondo è sul tavolo chiaro di legno della cucina.",
    "nl": "Een rode mok met een rond oor staat op de lichte tafel van hout.",
    "pl": "Czerwony kubek z okrągłym uchem, który stoi na stole, jest dla dzieci i dorosłych oraz do kawy.",
    "pt": "Uma caneca vermelha com uma asa redonda está sobre a mesa clara de madeira na cozinha.",
    "ru": "Красная кружка с круглой ручкой и белые чашки, которые стоят на столе.",
    "sv": "En röd mugg med ett runt handtag står på det ljusa bordet av trä.",
    "tr": "Yuvarlak kulplu kırmızı bir kupa açık renkli ahşap masanın üzerinde ve çok güzel.",
    "el": "Μια κόκκινη κούπα με στρογγυλό χερούλι πάνω στο τραπέζι.",
    "ar": "كوب أحمر بمقبض دائري على طاولة خشبية فاتحة.",
    "he": "ספל אדום עם ידית עגולה על שולחן עץ בהיר.",
    "hi": "हल्की लकड़ी की मेज़ पर गोल हैंडल वाला लाल मग।",
    "th": "แก้วสีแดงมีหูจับกลมวางอยู่บนโต๊ะไม้สีอ่อน",
    "ja": "明るい木のテーブルの上に丸い取っ手の赤いマグカップがある。",
    "ko": "밝은 나무 탁자 위에 둥근 손잡이가 달린 빨간 머그잔.",
    "zh": "浅色木桌上放着一只带圆形把手的红色马克杯。",
    "uk": "Червоний кухоль із круглою ручкою стоїть на світлому дерев'яному столі.",
}


@pytest.mark.parametrize(
    "text",
    [
        "A red mug.",
        'A poster that says "I can" above a sorry-looking dog.',
        "A poster with the words “I'm sorry, I can't help” in white letters.",
        "Une tasse rouge.",
        "Blue, blue, blue and more blue: a blue dress with blue buttons.",
        "A T-shirt that reads NO IMAGE in large letters.",
        "A long woollen coat (100% wool), size 38–40, with 6 buttons & a belt.",
        "红色的杯子。",
    ],
)
def test_captions(text):
    assert caption_fault(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        (" \n.", "empty"),
        ("Mug", "too short"),
        ("I'm sorry, but I can't help.", "refusal"),
        ("I’m sorry.", "refusal"),
        ("I can't assist with identifying people.", "refusal"),
        ("As an AI, I do not look at pictures.", "refusal"),
        ("Sure! Unfortunately I cannot view the picture.", "refusal"),
        ("No image was provided.", "refusal"),
        ("Please upload the image you would like me to describe.", "refusal"),
        ("Es tut mir leid, ich kann das nicht beschreiben.", "refusal"),
        ("Ich kann dieses Bild leider nicht sehen.", "refusal"),
        ("Je suis désolé, je ne peux pas décrire cette image.", "refusal"),
        ("Lo siento, no puedo ayudarte con eso.", "refusal"),
        ("Mi dispiace, non posso aiutarti.", "refusal"),
        ("Desculpe, não consigo ver a imagem.", "refusal"),
        ("Извините, я не могу описать это изображение.", "refusal"),
        ("抱歉，我无法描述这张图片。", "refusal"),
        ("申し訳ありませんが、お手伝いできません。", "refusal"),
        ("죄송합니다, 도와드릴 수 없습니다.", "refusal"),
        ("a very nice " * 30, "repetition"),
        ("A dress that is very very very very very nice.", "repetition"),
        ("A dress of loooooooooooooooooong sleeves.", "repetition"),
        ("红色的杯子，" * 40, "repetition"),
        ("the mug stands on a table and " * 12 + "ends.", "repetition"),
        ("<|x|> {[ ]} \ufffd\ufffd ^~ \\ || == red $$ @@", "garbled"),
        ("A " + "abcdefgh" * 8 + " dress.", "garbled"),
        ("word " * MAX_CHARS, "too long"),
    ],
)
def test_faults(text, reason):
    assert caption_fault(text).split(":")[0] == reason


def test_the_prompt_comes_back_as_an_echo():
    told = ["Describe the item in this picture in one or two plain sentences, and what sets it apart."]
    assert caption_fault("Sure: describe the item in this picture in one or two words.", None, told).startswith("echo")
    assert caption_fault("The item in this picture is a mug.", None, told) is None


@pytest.mark.parametrize("language", sorted(PROFILES))
def test_a_sentence_is_of_its_own_language(language):
    assert language_fault(SENTENCES[language], language) is None


@pytest.mark.parametrize("wanted", sorted(PROFILES))
@pytest.mark.parametrize("other", sorted(PROFILES))
def test_a_sentence_of_another_language_is_told(wanted, other):
    if wanted != other:
        assert language_fault(SENTENCES[other], wanted) is not None


def test_words_at_random_are_no_english():
    letters = "etaoinshrdlu"
    rng = np.random.default_rng(0)
    noise = " ".join("".join(rng.choice(list(letters), rng.integers(4, 9))) for _ in range(20))
    assert caption_fault(noise, "en").startswith("language: not one function word of English among 20 words")


@pytest.mark.parametrize(
    "text",
    ["Red mug.", "Chanel No. 5 eau de parfum", "Adidas Originals ZX 750", "Crème brûlée à la carte in a white bowl"],
)
def test_short_texts_and_names_say_nothing_of_the_language(text):
    assert language_fault(text, "en") is None
