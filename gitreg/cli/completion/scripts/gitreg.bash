# Completion of gitreg, git-reg and git reg in bash.

_gitreg() {
    local line="${COMP_LINE:0:COMP_POINT}" program="${1:-gitreg}" breaks="" prefix="" ending="" type word _
    local current="${line##*[[:space:]]}"
    [[ ${program##*/} == git ]] && program=gitreg
    # Readline replaces what follows the last of its break characters alone; an @ is part of what it replaces.
    [[ $COMP_WORDBREAKS == *=* ]] && breaks+="="
    [[ $COMP_WORDBREAKS == *:* ]] && breaks+=":"
    [[ -n $breaks ]] && prefix="${current%"${current##*[$breaks]}"}"
    [[ $COMP_WORDBREAKS == *@* && ${current#"$prefix"} == *@* ]] && prefix="${current%@*}"
    [[ ${COMP_WORDS[0]##*/} == git ]] && ending=" " # git's completion adds no blank of its own
    COMPREPLY=()
    while IFS=$'\t' read -r type word _; do
        case $type in
            plain)
                word="${word#"$prefix"}"
                [[ $word == *[@=:,/] ]] || word="${word// /\\ }$ending"
                COMPREPLY+=("$word")
                ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
        esac
    done < <(_GITREG_COMPLETE="$line" "$program" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[@=:,/] ]] && compopt -o nospace 2>/dev/null
    return 0
}

_git_reg() { _gitreg; }

complete -o nosort -F _gitreg gitreg git-reg 2>/dev/null || complete -F _gitreg gitreg git-reg
