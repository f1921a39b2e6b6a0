package io.daosmesh.cli.pages;

import java.util.Locale;
import picocli.AutoComplete;

/** Completion of a tool's commands and options in bash and zsh. Pure. */
final class Completion {
    private Completion() {}

    static String bash(Tool tool) {
        return AutoComplete.bash(tool.name(), tool.tree());
    }

    /** A file of zsh's $fpath: it runs the script of bash with what zsh has for that. */
    static String zsh(Tool tool, String bashFolder) {
        String function = "_complete_" + tool.name();
        return String.format(Locale.ROOT, """
            #compdef %s
            # Completion as in bash, whose script it reads.
            autoload -U +X bashcompinit && bashcompinit
            # options of a completion, which zsh has not
            (( $+functions[compopt] )) || compopt() { :; }
            source %s/%s || return 1
            _bash_complete -o default -F %s
            """, tool.name(), bashFolder, tool.name(), function);
    }
}
