"""What is said of a sale and its credit, in French. Words only; `{names}` are filled in by `speech`, which also puts
the narrow spaces of French before its high punctuation."""

FRENCH = {
    # pieces of sentences
    "percent": "{number} %",
    "part.about": "environ {percent}",
    "part.tiny": "moins de 0,0001 %",
    "people.one": "{count} personne",
    "people.other": "{count} personnes",
    "touches.one": "{count} contact",
    "touches.other": "{count} contacts",
    "a.click": "un clic",
    "a.like": "un « J’aime »",
    "a.view": "une vue",
    "this.refund": "Ce remboursement",
    "this.chargeback": "Ce litige",
    "this.cancellation": "L’annulation",
    "this.visit": "ce contact",
    "this.referral": "la recommandation",
    "this.order": "la commande",
    "house": "la maison",
    "nobody": "sans personne connue",
    # a touch
    "touch.counted": "Ce contact a compté pour {part} de la commande : {amount} sur {whole}.",
    "touch.counted_whole": "Ce contact a compté pour toute la commande : {amount}.",
    "touch.named": "La commande elle-même le désigne.",
    "touch.joined": "{visitor} est la même personne que l’acheteur, {person}.",
    "touch.clock_ahead": "Daté de {ahead} après la commande, il compte comme fait à la seconde de celle-ci.",
    "touch.unknown_referral": (
        "La recommandation {referral} n’est pas connue ici : ce contact compte pour son réseau, mais ne revient à "
        "personne."
    ),
    "touch.no_referral": "Il n’a pas de recommandation : il compte pour son réseau, mais ne revient à personne.",
    "touch.self_referral": "Il vient du propre lien de l’acheteur, et nul n’est crédité pour sa propre commande.",
    "touch.previous_order": (
        "Il avait mené à la commande précédente de l’acheteur, et le parcours recommence après chaque commande."
    ),
    "touch.bot": "Il vient d’un programme, et non d’une personne.",
    "touch.held": "Il ne rapporte rien tant qu’un doute sur {this} n’est pas tranché (règle {rule}).",
    "touch.refused": "Il ne rapporte rien, à cause d’un doute sur {this} (règle {rule}).",
    "touch.expired": "Il a eu lieu {age} avant la commande, alors qu’{what} compte pendant {window}.",
    "touch.direct": "Une visite sans le lien de personne ne donne de crédit à personne.",
    "touch.after_order": "Il a eu lieu {age} après la commande.",
    "touch.weaker_type": (
        "Il y avait un contact plus fort : un clic l’emporte sur un « J’aime », et un « J’aime » sur une vue."
    ),
    "touch.coupon": "Le code promo de la commande désigne une recommandation, qui reçoit toute la commande.",
    "touch.not_last": "Avec ce modèle, seul compte le dernier contact avant la commande.",
    "touch.not_first": "Avec ce modèle, seul compte le premier contact.",
    "touch.no_weight": "Le modèle ne donne aucun poids à cette place du parcours.",
    # an order that nobody is credited for
    "order.no_touch": "Auparavant, l’acheteur n’avait suivi le lien de personne ni vu la carte de personne.",
    "order.unknown_click": "Elle désigne un clic qui n’est pas connu ici.",
    "order.self_referral": "L’acheteur est venu par son propre lien, et nul n’est crédité pour sa propre commande.",
    "order.previous_order": (
        "Ce qui l’a précédée avait mené à la commande d’avant, et le parcours recommence après chaque commande."
    ),
    "order.bot": "Ce qui l’a précédée vient d’un programme, et non d’une personne.",
    "order.expired": "Ce qui l’a précédée date de trop longtemps pour compter encore.",
    "order.not_kept": "Les visites de son époque n’étaient plus conservées quand ces règles sont venues : nul ne sait.",
    "closed.order": (
        "Les visites de son époque ne sont plus conservées : ce qui a été crédité reste, sans nouveau partage ; les "
        "remboursements y sont pris."
    ),
    "closed.some": (
        "Les visites d’avant le {day} ne sont plus conservées : ce qui est dit des commandes et des personnes de cette "
        "époque l’est d’après ce qui reste, et peut différer de ce qui a été crédité."
    ),
    "order.held": "Son crédit est retenu tant qu’un doute n’est pas tranché.",
    "order.refused": "Son crédit est refusé à cause d’un doute.",
    # its coupon
    "coupon.decided": "Le code {code} désigne la recommandation {referral} de {sharer}, qui reçoit toute la commande.",
    "coupon.coupon_off": "Selon les règles choisies, les codes promo ne décident de rien.",
    "coupon.coupon_unknown": "Le code {code} ne désigne aucune recommandation.",
    "coupon.coupon_later": "Le code {code} n’a été attribué à une recommandation qu’après la commande.",
    "coupon.coupon_withdrawn": "Le code {code} avait été retiré avant la commande.",
    "coupon.unknown_referral": "Le code {code} désigne une recommandation qui n’est pas connue ici.",
    "coupon.not_kept": "Le code {code} n’a été attribué qu’une fois la commande close.",
    "coupon.self_referral": "Le code {code} est celui de l’acheteur, et nul n’est crédité pour sa propre commande.",
    "coupon.held": "Le code {code} ne décide de rien tant qu’un doute sur {this} n’est pas tranché (règle {rule}).",
    "coupon.refused": "Le code {code} ne décide de rien, à cause d’un doute sur {this} (règle {rule}).",
    # the chain of people
    "chain.first": "{sharer} a fait passer le mot : c’est sa recommandation.",
    "chain.above": "{sharer} l’avait fait passer auparavant : niveau {level}.",
    "chain.self_referral": "C’est l’acheteur, qui n’est pas compté.",
    "chain.again": "{sharer} figure déjà dans la chaîne, plus près de l’achat.",
    "chain.held": "{sharer} n’entre pas en compte tant qu’un doute sur cette recommandation n’est pas tranché.",
    "chain.refused": "{sharer} n’entre pas en compte, à cause d’un doute sur cette recommandation.",
    "chain.too_deep": "Les règles s’arrêtent à {people} au plus, et {sharer} vient ensuite.",
    "chain.direct": "Les règles ne créditent que l’auteur de la recommandation, et non {sharer}, plus haut.",
    "chain.no_weight": "Les règles ne donnent rien à cette place.",
    "chain.rounded_away": "Sa part s’arrondit à rien.",
    "chain.ends.root": "La chaîne s’arrête ici : cette recommandation ne vient d’aucune autre.",
    "chain.ends.unknown_parent": (
        "La chaîne s’arrête ici : la recommandation du dessus, {referral}, n’est pas connue."
    ),
    "chain.ends.loop": "La chaîne s’arrête ici : la recommandation du dessus, {referral}, y figure déjà.",
    "chain.ends.cut": "Au-delà, plus personne n’entre en compte.",
    "chain.ends.too_long": "Seules ses {count} premières places sont montrées.",
    # a line of credit
    "line.source": "Cette source reçoit {part} de la commande : {amount} sur {whole}.",
    "line.source_whole": "Cette source reçoit toute la commande : {amount}.",
    "line.all": "Le tout revient à {sharer}.",
    "line.level": "Il en revient {part} à {sharer}, au niveau {level} : {amount}.",
    "line.house": "Il en reste {part} à la maison, au-delà de la chaîne : {amount}.",
    "line.no_person": "Aucune personne n’est connue derrière elle.",
    "line.nobody": "La commande n’est créditée à personne : {amount}.",
    "rounded.up": "L’arrondi a ajouté {part} de la plus petite unité de la monnaie.",
    "rounded.down": "L’arrondi a retiré {part} de la plus petite unité de la monnaie.",
    "line.taken": "Sur cette somme, on a repris {taken}, et il reste {left}.",
    "line.taken_all": "Toute cette somme a été reprise.",
    # what takes back
    "refund.took": "{this} a repris {taken}.",
    "refund.cut": "{this} demandait {amount}, dont il ne restait à reprendre que {taken}.",
    "refund.failed": "Ce remboursement de {amount} a échoué ou a été retiré : il ne reprend rien.",
    "refund.won": "Ce litige de {amount} a été gagné ou retiré : il ne reprend rien.",
    "refund.undone": "L’annulation de {amount} a été levée ou a cédé à un remboursement : elle ne reprend rien.",
    # the policy
    "policy.version": "Règles « {name} », version {version}.",
    "policy.last_touch": "Le dernier contact avant la commande la reçoit tout entière.",
    "policy.first_touch": "Le premier contact du parcours reçoit toute la commande.",
    "policy.linear": "Tous les contacts qui comptent se partagent la commande à parts égales.",
    "policy.position_based": (
        "Le premier contact reçoit {first}, le dernier {last}, et ceux du milieu se partagent le reste ; deux contacts "
        "se partagent la commande dans ce rapport."
    ),
    "policy.time_decay": (
        "Plus un contact est récent, plus il compte : son poids diminue de moitié par tranche de {half_life}."
    ),
    "policy.windows": "Un clic compte pendant {click}, un « J’aime » pendant {like}, une vue pendant {view}.",
    "policy.strict": "Seul compte le type de contact le plus fort qui soit présent.",
    "policy.none": "Tous les types de contact comptent.",
    "policy.upline.direct": "Le crédit reste à l’auteur de la recommandation.",
    "policy.upline.geometric": (
        "En remontant la chaîne, chaque personne reçoit {alpha} de la part de la précédente, {people} au plus."
    ),
    "policy.upline.equal": "Les personnes d’une chaîne se partagent le crédit à parts égales, {people} au plus.",
    "policy.upline.root": "Le haut de la chaîne reçoit tout, compté sur {people} au plus.",
    "policy.upline.recursive": (
        "Chaque personne d’une chaîne transmet {alpha} de ce qui lui parvient, {people} au plus ; le reste est à la "
        "maison."
    ),
    "policy.upline.halving": (
        "Chaque personne de plus réduit de moitié la part de toutes, {people} au plus ; le reste est à la maison."
    ),
    "policy.exclude": "Nul n’est crédité pour sa propre commande.",
    "policy.include": "Un acheteur peut être crédité pour sa propre commande.",
    "policy.coupon_on": "Un code promo connu emporte toute la commande.",
    "policy.coupon_off": "Les codes promo ne décident de rien.",
    "policy.reset_on": "Le parcours recommence après chaque commande.",
    "policy.reset_off": "Une commande ne met pas fin au parcours.",
    # all of it, in short
    "summary.only": "Un seul contact a précédé cette commande de {net}, et il a compté.",
    "summary.one": "Avant cette commande de {net}, il y a eu {touches}, dont un seul a compté.",
    "summary.some": "Avant cette commande de {net}, il y a eu {touches}, dont {count} ont compté.",
    "summary.closed": (
        "Cette commande de {net} reste créditée comme elle l’a été : les visites d’avant ne sont plus conservées."
    ),
    "summary.every": "Avant cette commande de {net}, il y a eu {touches}, qui ont tous compté.",
    "summary.coupon": "Le code {code} attribue toute cette commande de {net} à la recommandation {referral}.",
    "summary.nobody": "Cette commande de {net} n’est créditée à personne.",
    "summary.taken": "On en a repris {taken} : il reste {left}.",
    "summary.taken_all": "Tout a été repris.",
    "summary.credit": "Crédit : {people}.",
    "summary.person": "{sharer} {amount}",
    "summary.others": "autres {amount}",
}
