"""What is said of rules and doubts, in French. Words only; `{names}` are filled in by `kernel/speech.py`."""

from typing import Final

FRENCH: Final = {
    # pieces of sentences
    "percent": "{number} %",
    "devices.one": "{count} appareil",
    "devices.other": "{count} appareils",
    "likes.one": "{count} « J’aime »",
    "likes.other": "{count} « J’aime »",
    "orders.one": "{count} commande",
    "orders.other": "{count} commandes",
    "referrals.one": "{count} recommandation",
    "referrals.other": "{count} recommandations",
    "shares.one": "{count} partage",
    "shares.other": "{count} partages",
    "visitors.one": "{count} visiteur",
    "visitors.other": "{count} visiteurs",
    "visits.one": "{count} visite",
    "visits.other": "{count} visites",
    # what a rule sees
    "rule.own_visitor": "Quelqu’un a acheté par son propre lien : c’est le même visiteur.",
    "rule.own_person": (
        "Quelqu’un a acheté par son propre lien : les deux visiteurs ont été rattachés à la même personne."
    ),
    "rule.crawler": "Un programme qui se dit tel ne fait pas de visite : il est compté parmi les machines.",
    "rule.own_mail": (
        "L’auteur de la recommandation a déjà acheté avec l’adresse électronique de l’acheteur, et rien ne dit que ce "
        "soit la même personne."
    ),
    "rule.own_card": (
        "L’auteur de la recommandation a déjà acheté avec la carte de l’acheteur, et rien ne dit que ce soit la même "
        "personne."
    ),
    "rule.own_device": (
        "L’auteur a recommandé depuis l’appareil de l’acheteur, le même jour, et rien ne dit que ce soit la même "
        "personne."
    ),
    "rule.too_fast": "La commande a suivi sa visite en moins de {seconds} : personne ne regarde et ne paie si vite.",
    "rule.click_stuffing": (
        "En {minutes}, les liens d’une même personne ont eu au moins {visits}, et en moyenne plus de {per_device} par "
        "appareil, ou par visiteur à qui elles sont."
    ),
    "rule.velocity_visits": "En {minutes}, une recommandation a eu plus de {visits} depuis un même bloc du réseau.",
    "rule.velocity_likes": (
        "En {minutes}, il y a eu plus de {by_visitor} d’un même visiteur, ou plus de {by_block} depuis un même bloc du "
        "réseau."
    ),
    "rule.velocity_shares": (
        "En {minutes}, il y a eu plus de {by_visitor} d’un même visiteur, ou plus de {by_block} depuis un même bloc du "
        "réseau."
    ),
    "rule.duplicate_sharers": (
        "Le même jour, au moins {sharers} ont recommandé la même chose depuis un même appareil."
    ),
    "rule.coupon_site": (
        "Parmi les {latest} les plus récentes avec un code qui parle pour une recommandation, au moins {strangers}, et "
        "au moins {percent}, sont d’acheteurs qui ne sont venus par le lien de personne et n’ont vu la carte de "
        "personne."
    ),
    "rule.refunds_in_series": "En {days}, le même acheteur s’est fait rembourser au moins {orders} en entier.",
    # why a rule cannot be told otherwise
    "fixed.policy": "Ce sont les règles d’attribution qui en décident : `self_referral` dans PUT /v1/policy.",
    "fixed.always": "Il en va ainsi pour tous.",
    # what it found
    "doubt": "La règle {rule} a trouvé quelque chose de douteux.",
    "doubt.own_mail": (
        "L’auteur de la recommandation a {alike} avec l’adresse électronique de {order}, et rien ne dit que ce soit la "
        "même personne."
    ),
    "doubt.own_card": (
        "L’auteur de la recommandation a {alike} avec la carte de {order}, et rien ne dit que ce soit la même personne."
    ),
    "doubt.own_device": (
        "Depuis l’appareil de {order}, l’auteur a fait {alike} ce jour-là, et rien ne dit que ce soit la même personne."
    ),
    "doubt.too_fast": "La commande {order} a suivi cette visite au bout de {seconds}.",
    "doubt.click_stuffing": (
        "En {minutes}, les liens de cette personne ont eu {visits} : {seen} depuis {devices} que l’on peut distinguer, "
        "et {claimed} de {visitors} à qui elles sont."
    ),
    "doubt.velocity_visits": "En {minutes}, cette recommandation a eu {visits} depuis un même bloc du réseau.",
    "doubt.velocity_likes": (
        "En {minutes}, il y a eu {by_visitor} de son visiteur, et {by_block} depuis son bloc du réseau."
    ),
    "doubt.velocity_shares": (
        "En {minutes}, il y a eu {by_visitor} de son visiteur, et {by_block} depuis son bloc du réseau."
    ),
    "doubt.duplicate_sharers": "Le même jour, {sharers} ont recommandé la même chose depuis un même appareil.",
    "doubt.coupon_site": (
        "Parmi les {orders} les plus récentes avec le code de celle-ci, {strangers} sont d’acheteurs qui ne sont venus "
        "par le lien de personne."
    ),
    "doubt.refunds_in_series": "En {days}, l’acheteur de cette commande s’est fait rembourser {taken_back} en entier.",
    # what became of it
    "standing.off": "La règle est désormais éteinte : le crédit est comme si rien n’avait été trouvé.",
    "standing.flag": "Le crédit est comme si rien n’avait été trouvé.",
    "standing.hold": "Rien n’est gagné par là tant que vous n’avez pas décidé.",
    "standing.refuse": "Rien n’est gagné par là.",
    "standing.yours.credit": "Vous avez décidé que le crédit est comme si rien n’avait été trouvé.",
    "standing.yours.refuse": "Vous avez décidé que rien n’est gagné par là.",
}
