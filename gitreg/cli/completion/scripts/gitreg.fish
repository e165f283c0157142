# Completion of gitreg, git-reg and git reg in fish.

function __gitreg_complete
    for item in (env _GITREG_COMPLETE=(commandline -cp | string collect) gitreg 2>/dev/null)
        set -l parts (string split \t -- $item)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case plain
                printf '%s\t%s\n' $parts[2] $parts[3]
        end
    end
end

complete --command gitreg --no-files --keep-order --arguments '(__gitreg_complete)'
complete --command git-reg --no-files --keep-order --arguments '(__gitreg_complete)'
