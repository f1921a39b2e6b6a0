package io.daosmesh.model.support;

import java.util.regex.Pattern;

/** Texts without what opens anything: passwords, keys and tokens keep their names and lose their values. Immutable. */
public final class Secrets {
    static final String HIDDEN = "(hidden)";

    private static final String NAMES =
            "[\\w.-]{0,64}(?:passw(?:or)?d|passphrase|secret|token|credential|auth_key|api_key|private_key)[\\w.-]{0,64}";

    /** A name, an equals sign or a colon, and what follows up to a blank or the end of what encloses it. */
    private static final Pattern VALUE =
            Pattern.compile("(?i)([\"']?" + NAMES + "[\"']?\\s*[:=]\\s*)(\"[^\"\\n]*\"|'[^'\\n]*'|[^\\s,}\\]]+)");

    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[^-]*(?:-----END [A-Z0-9 ]*PRIVATE KEY-----)?");
    /** A hash as htpasswd makes them. */
    private static final Pattern HASH = Pattern.compile("\\$(?:2[aby]|[156])\\$[./A-Za-z0-9$=,]{8,}");

    private static final Pattern BASIC = Pattern.compile("(?i)((?:basic|bearer)\\s+)[A-Za-z0-9+/=._-]{8,}");
    private static final Pattern IN_URL = Pattern.compile("(://[^/\\s:@]{1,256}:)[^/\\s@]{1,256}@");

    private Secrets() {}

    public static String hidden(String text) {
        String rest = BLOCK.matcher(text).replaceAll(HIDDEN);
        rest = VALUE.matcher(rest).replaceAll("$1" + HIDDEN);
        rest = HASH.matcher(rest).replaceAll(HIDDEN);
        rest = BASIC.matcher(rest).replaceAll("$1" + HIDDEN);
        return IN_URL.matcher(rest).replaceAll("$1" + HIDDEN + "@");
    }

    /** A file that is a key by its name, or a keystore: not to be read at all. */
    public static boolean isKey(String fileName) {
        return fileName.toLowerCase(java.util.Locale.ROOT)
                .matches(
                        ".*(\\.key|\\.pem|\\.p12|\\.pfx|\\.jks|\\.keystore|\\.der)|.*(users|keys)\\.properties.*|id_[a-z0-9]+|.*shadow.*");
    }
}
