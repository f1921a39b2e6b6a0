package io.daosmesh.console.guard;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Takes passwords and the like out of a command line before it is written down. */
final class Secrets {
    private static final String MASK = "***";
    private static final String WORD = "(?:\"[^\"]*\"?|'[^']*'?|[^\\s;|\"']+)";
    private static final Pattern USER_ADD = Pattern.compile("(?i)(\\buser-add\\s+" + WORD + ")([^;|\\n]*)");

    private static final Pattern OPTIONS =
            Pattern.compile("(?i)((?:^|\\s)(?:-P|--?[\\w-]*(?:pass|secret|token)[\\w-]*)(?:\\s+|=))" + WORD);
    /** {@code config:property-set some.password VALUE}, {@code password=VALUE}. */
    private static final Pattern NAMED = Pattern.compile(
            "(?i)([\\w.-]*(?:pass(?:word|wd|phrase)|secret|token|credential)[\\w.-]*(?:\\s*=\\s*|\\s+(?!=)))" + WORD);

    private Secrets() {}

    static String mask(String line) {
        String masked = USER_ADD.matcher(line)
                .replaceAll(
                        m -> Matcher.quoteReplacement(m.group(1)) + (m.group(2).isBlank() ? "" : " " + MASK));
        masked = OPTIONS.matcher(masked).replaceAll(m -> Matcher.quoteReplacement(m.group(1)) + MASK);
        return NAMED.matcher(masked).replaceAll(m -> Matcher.quoteReplacement(m.group(1)) + MASK);
    }
}
