#compdef gitreg git-reg
# Completion of gitreg, git-reg and git reg in zsh.

_gitreg() {
    local line="gitreg ${(j: :)words[2,CURRENT-1]} $PREFIX" type word text
    local -a plain open described
    while IFS=$'\t' read -r type word text; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files ;;
            plain)
                if [[ -n $text ]]; then
                    described+=("${word//:/\\:}:$text")
                elif [[ $word == *[@=:,/] ]]; then
                    open+=("$word")
                else
                    plain+=("$word")
                fi
                ;;
        esac
    done < <(_GITREG_COMPLETE="$line" gitreg 2>/dev/null)
    (( $#described )) && _describe -V command described
    (( $#open )) && compadd -V open -S '' -a open
    (( $#plain )) && compadd -V plain -a plain
}

_git-reg() { _gitreg; }

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _gitreg "$@"
else
    compdef _gitreg gitreg git-reg
fi
