package io.daosmesh.cli.start;

import java.util.List;
import java.util.Set;

/** Settings of the JVM of a tool, made before anything else: what a call does not need is not started. Main thread. */
public final class LeanStart {
    private static final Set<String> LOGGING = Set.of("-d", "--debug", "--log-file");

    private LeanStart() {}

    public static void prepare(String... args) {
        // starting the flight recorder takes 0.5 s
        System.setProperty("io.netty.jfr.enabled", "false");
        // The JDK reads all its public authorities for a TLS context that nobody uses: we trust our own alone.
        if (System.getProperty("javax.net.ssl.trustStore") == null)
            System.setProperty("javax.net.ssl.trustStore", "NONE");
        if (!isLogging(List.of(args))) {
            LocalZone.defer();
            System.setProperty("slf4j.internal.verbosity", "WARN");
            System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
        }
    }

    /** For a program that serves: it logs. */
    public static void prepareServing() {
        System.setProperty("io.netty.jfr.enabled", "false");
        if (System.getProperty("javax.net.ssl.trustStore") == null)
            System.setProperty("javax.net.ssl.trustStore", "NONE");
    }

    /** As {@link #prepare}, for a tool that moves no data: pools of buffers are not worth their start. */
    public static void prepareSmall(String... args) {
        System.setProperty("io.netty.allocator.type", "unpooled");
        prepare(args);
    }

    private static boolean isLogging(List<String> words) {
        String mask = System.getenv("D_LOG_MASK");
        if (mask != null && !mask.isBlank()) return true;
        // plain code: it runs before all else, and the first lambda or regular expression costs some milliseconds
        for (String word : words) {
            int end = word.indexOf('=');
            if (LOGGING.contains(end < 0 ? word : word.substring(0, end)) || isCluster(word, 'd')) return true;
        }
        return false;
    }

    /** Short flags in one word, as {@code -jd}, with this one among them. */
    private static boolean isCluster(String word, char flag) {
        if (!word.startsWith("-")) return false;
        for (int i = 1; i < word.length() && Character.isLetter(word.charAt(i)); i++) {
            if (word.charAt(i) == flag) return true;
        }
        return false;
    }
}
