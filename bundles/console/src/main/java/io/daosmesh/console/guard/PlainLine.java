package io.daosmesh.console.guard;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What viewers and managers may type: commands with words and quoted text, joined by {@code |}, {@code ;} or line ends. The
 * shell's own language is left out: with variables, closures, calls of methods and redirections anybody who is let in could
 * fill the memory of the node or write its files, whatever commands he may use. Immutable.
 *
 * @param commands of each command its words, quotes removed
 * @param problem why the line is none, null = it is
 */
record PlainLine(List<List<String>> commands, @Nullable String problem) {
    static final int LENGTH_MAX = 4096;
    /** Each command of a pipe is a thread. */
    static final int COMMANDS_MAX = 8;

    private static final String BARE = "_.:/,@+-*?";

    static PlainLine of(CharSequence line) {
        if (line.length() > LENGTH_MAX) return refused("it is longer than " + LENGTH_MAX + " characters");
        return new Reader(line.toString()).read();
    }

    boolean isPlain() {
        return problem == null;
    }

    private static PlainLine refused(String problem) {
        return new PlainLine(List.of(), problem);
    }

    /** One pass over the text. */
    private static final class Reader {
        private final String text;
        private final List<List<String>> commands = new ArrayList<>();
        private List<String> words = new ArrayList<>();
        private @Nullable StringBuilder word; // null between words

        Reader(String text) {
            this.text = text;
        }

        PlainLine read() {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                switch (c) {
                    case ' ', '\t', '\r' -> endWord();
                    case '|', ';', '\n' -> endCommand();
                    case '\'', '"' -> {
                        int end = text.indexOf(c, i + 1);
                        if (end < 0) return refused("a quote is not closed");
                        String quoted = text.substring(i + 1, end);
                        if (!isQuotable(quoted, c)) return refused("quoted text holds what the shell would expand");
                        word().append(quoted);
                        i = end;
                    }
                    default -> {
                        if (!isBare(c)) return refused("'" + Escapes.escape(String.valueOf(c)) + "' is not allowed");
                        word().append(c);
                    }
                }
            }
            endCommand();
            return commands.size() > COMMANDS_MAX
                    ? refused("it has more than " + COMMANDS_MAX + " commands")
                    : new PlainLine(List.copyOf(commands), null);
        }

        private StringBuilder word() {
            StringBuilder current = word;
            if (current == null) word = current = new StringBuilder();
            return current;
        }

        private void endWord() {
            if (word != null) words.add(word.toString());
            word = null;
        }

        private void endCommand() {
            endWord();
            if (!words.isEmpty()) commands.add(List.copyOf(words));
            words = new ArrayList<>();
        }

        private static boolean isBare(char c) {
            return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || BARE.indexOf(c) >= 0;
        }

        private static boolean isQuotable(String quoted, char quote) {
            return quoted.chars()
                    .allMatch(
                            c -> !Character.isISOControl(c) && c != '\\' && (quote == '\'' || (c != '$' && c != '`')));
        }
    }
}
