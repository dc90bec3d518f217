"""What is said of a sale and its credit, in English. Words only; `{names}` are filled in by `speech`."""

ENGLISH = {
    # pieces of sentences
    "percent": "{number}%",
    "part.about": "about {percent}",
    "part.tiny": "less than 0.0001%",
    "people.one": "{count} person",
    "people.other": "{count} people",
    "touches.one": "{count} touch",
    "touches.other": "{count} touches",
    "a.click": "a click",
    "a.like": "a like",
    "a.view": "a view",
    "this.refund": "This refund",
    "this.chargeback": "This dispute",
    "this.cancellation": "The cancellation",
    "this.visit": "this touch",
    "this.referral": "the referral",
    "this.order": "the order",
    "house": "the house",
    "nobody": "no known person",
    # a touch
    "touch.counted": "It counted for {part} of the order: {amount} of {whole}.",
    "touch.counted_whole": "It counted for the whole order: {amount}.",
    "touch.named": "The order itself names it.",
    "touch.joined": "{visitor} is the same person as the buyer, {person}.",
    "touch.clock_ahead": "It was dated {ahead} after the order, and counts as made in the second of the order.",
    "touch.unknown_referral": (
        "The referral {referral} is not known here, so what it earns counts for its network and for no person."
    ),
    "touch.no_referral": "It has no referral, so what it earns counts for its network and for no person.",
    "touch.self_referral": "It came through the buyer’s own link, and nobody earns credit for their own order.",
    "touch.previous_order": "It had led to the buyer’s previous order, and journeys start anew after each order.",
    "touch.bot": "It was made by a program, not by a person.",
    "touch.held": "It earns nothing until a doubt about {this} is decided (rule {rule}).",
    "touch.refused": "It earns nothing, because of a doubt about {this} (rule {rule}).",
    "touch.expired": "It happened {age} before the order, and {what} counts for {window}.",
    "touch.direct": "A visit through nobody’s link earns nobody credit.",
    "touch.after_order": "It happened {age} after the order.",
    "touch.weaker_type": "A stronger type of touch was there: a click outranks a like, and a like outranks a view.",
    "touch.coupon": "The order’s coupon code speaks for a referral and takes the whole order.",
    "touch.not_last": "Only the last touch before the order counts under this model.",
    "touch.not_first": "Only the first touch counts under this model.",
    "touch.no_weight": "The model gives this place in the journey no weight.",
    # an order that nobody is credited for
    "order.no_touch": "Before it, the buyer had come through nobody’s link and seen nobody’s card.",
    "order.unknown_click": "It names a click that is not known here.",
    "order.self_referral": "The buyer came through their own link, and nobody earns credit for their own order.",
    "order.previous_order": (
        "What there was had led to the buyer’s previous order; journeys start anew after each order."
    ),
    "order.bot": "What there was before it was made by a program, not by a person.",
    "order.expired": "What there was before it was longer ago than the windows allow.",
    "order.not_kept": "The visits of its time were no longer kept when this policy came, so nobody can tell.",
    "closed.order": (
        "The visits of its time are no longer kept, so what was credited stands, and is not divided anew; refunds take "
        "from it."
    ),
    "closed.some": (
        "Visits before {day} are no longer kept: what is asked of orders and people of that time is told by what is "
        "left, and need not be what was credited."
    ),
    "order.held": "Credit for it is held until a doubt is decided.",
    "order.refused": "Credit for it is refused because of a doubt.",
    # its coupon
    "coupon.decided": "The code {code} speaks for the referral {referral} of {sharer}, and takes the whole order.",
    "coupon.coupon_off": "The policy lets coupon codes decide nothing.",
    "coupon.coupon_unknown": "The code {code} speaks for no referral.",
    "coupon.coupon_later": "The code {code} was given to a referral only after the order.",
    "coupon.coupon_withdrawn": "The code {code} had been withdrawn before the order.",
    "coupon.unknown_referral": "The code {code} speaks for a referral that is not known here.",
    "coupon.not_kept": "The code {code} came to speak for somebody when the order was closed already.",
    "coupon.self_referral": "The code {code} is the buyer’s own, and nobody earns credit for their own order.",
    "coupon.held": "The code {code} decides nothing until a doubt about {this} is decided (rule {rule}).",
    "coupon.refused": "The code {code} decides nothing, because of a doubt about {this} (rule {rule}).",
    # the chain of people
    "chain.first": "{sharer} passed the word on: it is their referral.",
    "chain.above": "{sharer} had passed it on before: level {level}.",
    "chain.self_referral": "This is the buyer, who is left out.",
    "chain.again": "{sharer} stands in the chain already, nearer to the purchase.",
    "chain.held": "{sharer} is left out until a doubt about this referral is decided.",
    "chain.refused": "{sharer} is left out because of a doubt about this referral.",
    "chain.too_deep": "The policy goes up {people} at most, and {sharer} comes after them.",
    "chain.direct": "The policy credits only the person whose referral it was, not {sharer} above them.",
    "chain.no_weight": "The policy gives this place nothing.",
    "chain.rounded_away": "Its share rounds to nothing.",
    "chain.ends.root": "The chain ends here: this referral came from no other.",
    "chain.ends.unknown_parent": "The chain ends here: the referral above, {referral}, is not known.",
    "chain.ends.loop": "The chain ends here: the referral above, {referral}, stands in it already.",
    "chain.ends.cut": "Whoever stands above plays no part.",
    "chain.ends.too_long": "Only its first {count} places are shown.",
    # a line of credit
    "line.source": "This source has {part} of the order: {amount} of {whole}.",
    "line.source_whole": "This source has the whole order: {amount}.",
    "line.all": "All of it goes to {sharer}.",
    "line.level": "Of that, {part} goes to {sharer}, at level {level}: {amount}.",
    "line.house": "Of that, {part} passes beyond the chain and stays with the house: {amount}.",
    "line.no_person": "No person is known behind it.",
    "line.nobody": "The order is credited to nobody: {amount}.",
    "rounded.up": "Rounding added {part} of the currency’s smallest unit.",
    "rounded.down": "Rounding took away {part} of the currency’s smallest unit.",
    "line.taken": "Of this, {taken} was taken back and {left} is left.",
    "line.taken_all": "All of this was taken back.",
    # what takes back
    "refund.took": "{this} took back {taken}.",
    "refund.cut": "{this} asked for {amount}, of which {taken} was left to take.",
    "refund.failed": "This refund of {amount} failed or was withdrawn, so it takes nothing.",
    "refund.won": "This dispute over {amount} was won or withdrawn, so it takes nothing.",
    "refund.undone": "The cancellation of {amount} was undone or gave way to a refund, so it takes nothing.",
    # the policy
    "policy.version": "Policy “{name}”, version {version}.",
    "policy.last_touch": "The last touch before the order has all of it.",
    "policy.first_touch": "The first touch of the journey has all of the order.",
    "policy.linear": "All touches that count share the order equally.",
    "policy.position_based": (
        "The first touch has {first}, the last {last}, and those between share the rest; two touches share in that "
        "ratio."
    ),
    "policy.time_decay": "Recent touches count more: each {half_life} of age halves the weight.",
    "policy.windows": "A click counts for {click}, a like for {like}, a view for {view}.",
    "policy.strict": "Only the strongest type of touch that is there counts.",
    "policy.none": "All types of touch count.",
    "policy.upline.direct": "Credit stays with the person whose referral it was.",
    "policy.upline.geometric": "Up the chain, each person has {alpha} of what the one before has, {people} at most.",
    "policy.upline.equal": "The people of a chain share equally, {people} at most.",
    "policy.upline.root": "The top of the chain has everything, counted over {people} at most.",
    "policy.upline.recursive": (
        "Each person of a chain passes on {alpha} of what reaches them, {people} at most; the house keeps the rest."
    ),
    "policy.upline.halving": (
        "Each further person halves everybody’s share, {people} at most; the house keeps the rest."
    ),
    "policy.exclude": "Nobody earns credit for their own order.",
    "policy.include": "Buyers may earn credit for their own orders.",
    "policy.coupon_on": "A known coupon code takes the whole order.",
    "policy.coupon_off": "Coupon codes decide nothing.",
    "policy.reset_on": "A journey starts anew after each order.",
    "policy.reset_off": "An order does not end a journey.",
    # all of it, in short
    "summary.only": "One touch came before this order of {net}, and it counted.",
    "summary.one": "Of the {touches} before this order of {net}, one counted.",
    "summary.some": "Of the {touches} before this order of {net}, {count} counted.",
    "summary.closed": "This order of {net} stands as it was credited: the visits before it are no longer kept.",
    "summary.every": "All of the {touches} before this order of {net} counted.",
    "summary.coupon": "The code {code} takes this whole order of {net} for the referral {referral}.",
    "summary.nobody": "This order of {net} is credited to nobody.",
    "summary.taken": "{taken} was taken back, so {left} is left.",
    "summary.taken_all": "All of it was taken back.",
    "summary.credit": "Credit: {people}.",
    "summary.person": "{sharer} {amount}",
    "summary.others": "others {amount}",
}
