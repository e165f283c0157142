#compdef git-reg
#description keep models in a registry that is a Git repository
_gitreg "$@"
