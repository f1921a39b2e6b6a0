package io.daosmesh.console.guard;

import java.util.Locale;

/** Text of others on its way into a log or to a terminal: no control character gets through, and no text without end. */
final class Escapes {
    static final int LENGTH_MAX = 1024;

    private Escapes() {}

    static String escape(String text) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < text.length() && i < LENGTH_MAX; i++) {
            char c = text.charAt(i);
            int type = Character.getType(c);
            // format characters turn the direction of what follows, separators end lines
            boolean isUnsafe = Character.isISOControl(c)
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR
                    || type == Character.SURROGATE;
            if (isUnsafe) b.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            else if (c == '"' || c == '\\') b.append('\\').append(c);
            else b.append(c);
        }
        if (text.length() > LENGTH_MAX) b.append("... (").append(text.length()).append(" characters)");
        return b.toString();
    }
}
