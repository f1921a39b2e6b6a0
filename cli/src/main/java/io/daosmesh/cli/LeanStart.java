package io.daosmesh.cli;

import java.util.List;
import java.util.Set;

/** Settings of the JVM of a tool, made before anything else: what a call does not need is not started. Main thread. */
final class LeanStart {
    private static final Set<String> LOGGING = Set.of("-d", "--debug", "--log-file");

    private LeanStart() {}

    static void prepare(String... args) {
        // starting the flight recorder takes 0.5 s
        System.setProperty("io.netty.jfr.enabled", "false");
        // The JDK reads all its public authorities for a TLS context that nobody uses: we trust our own alone.
        if (System.getProperty("javax.net.ssl.trustStore") == null)
            System.setProperty("javax.net.ssl.trustStore", "NONE");
        if (!isLogging(List.of(args))) {
            System.setProperty("slf4j.internal.verbosity", "WARN");
            System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
        }
    }

    private static boolean isLogging(List<String> words) {
        String mask = System.getenv("D_LOG_MASK");
        return mask != null && !mask.isBlank()
                || words.stream()
                        .anyMatch(w -> LOGGING.contains(w.replaceFirst("=.*", "")) || w.matches("-[a-zA-Z]*d.*"));
    }
}
