package io.daosmesh.console.twin;

import io.daosmesh.admin.command.CommandLeaf;
import io.daosmesh.admin.command.CommandTree;
import java.util.ArrayList;
import java.util.List;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;

/** The name of a command, then its flags and the names of pools. Any thread. */
final class TwinCompleter implements Completer {
    private static final int NONE = -1;

    private final CommandTree tree;
    private final CommandLeaf leaf;
    private final List<String> names;

    /** @param isInScope the user is in the group of these commands and needs not name it */
    TwinCompleter(CommandTree tree, CommandLeaf leaf, boolean isInScope) {
        this.tree = tree;
        this.leaf = leaf;
        String full = TwinCommand.SCOPE + ":" + leaf.name();
        names = isInScope ? List.of(leaf.name()) : List.of(leaf.name(), full);
    }

    /** @return where in the line the candidates begin, -1 without any */
    @Override
    public int complete(Session session, CommandLine line, List<String> candidates) {
        int at = line.getCursorArgumentIndex();
        String typed = line.getCursorArgument();
        String word = typed == null ? "" : typed.substring(0, Math.min(line.getArgumentPosition(), typed.length()));
        List<String> words = List.of(line.getArguments());
        List<String> found = at == 0 ? names(word) : arguments(words, at, word);
        if (found.isEmpty()) return NONE;
        found.forEach(f -> candidates.add(f + " "));
        return line.getBufferPosition() - line.getArgumentPosition();
    }

    private List<String> names(String word) {
        List<String> found = new ArrayList<>();
        for (String name : names) if (name.startsWith(word)) found.add(name);
        return found;
    }

    private List<String> arguments(List<String> words, int at, String word) {
        boolean isOurs = words.get(0).equals(leaf.name()) || words.get(0).equals(TwinCommand.SCOPE + ":" + leaf.name());
        if (!isOurs) return List.of();
        return tree.candidates(leaf, words.subList(1, Math.min(at, words.size())), word);
    }
}
