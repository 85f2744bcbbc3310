module compose-env

go 1.22

require github.com/compose-spec/compose-go/v2 v2.4.4
