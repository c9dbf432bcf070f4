-- $1 instance. It beats on, for what still runs is its own, but nobody gives it more.
UPDATE instances SET withdrawn = true WHERE instance = $1
