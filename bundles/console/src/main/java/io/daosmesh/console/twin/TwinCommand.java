package io.daosmesh.console.twin;

import io.daosmesh.admin.command.CommandLeaf;
import io.daosmesh.admin.command.CommandTree;
import java.util.List;
import org.apache.karaf.shell.api.console.Command;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Parser;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.CommandException;
import org.jspecify.annotations.Nullable;

/** A command of dmg at the console: same words, same text, same JSON. Karaf's ACLs say who may use it. Any thread. */
final class TwinCommand implements Command {
    static final String SCOPE = "daos";

    private final CommandTree tree;
    private final CommandLeaf leaf;

    TwinCommand(CommandTree tree, CommandLeaf leaf) {
        this.tree = tree;
        this.leaf = leaf;
    }

    @Override
    public String getScope() {
        return SCOPE;
    }

    @Override
    public String getName() {
        return leaf.name();
    }

    @Override
    public String getDescription() {
        return leaf.description();
    }

    @Override
    public Completer getCompleter(boolean scoped) {
        return new TwinCompleter(tree, leaf, scoped);
    }

    @Override
    public @Nullable Parser getParser() {
        return null; // words as the shell makes them
    }

    @Override
    public @Nullable Object execute(Session session, List<Object> arguments) throws CommandException {
        List<String> words = arguments.stream().map(String::valueOf).toList();
        SessionDialog dialog = SessionDialog.of(session, words.contains("-j") || words.contains("--json"));
        try {
            int status = tree.run(leaf, words, dialog);
            dialog.flush();
            // the reason has been told; without a text of its own Karaf would add one
            if (status != 0) throw new CommandException("", dialog.failure());
            return null;
        } finally {
            // what ended this command is no reason to end the session
            Thread.interrupted();
        }
    }
}
