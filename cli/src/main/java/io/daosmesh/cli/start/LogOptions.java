package io.daosmesh.cli.start;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.Encoder;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The log that options or a configuration ask for, on top of the silence that {@link ToolLogging} starts with. */
public final class LogOptions {
    private LogOptions() {}

    /** Before the first log line; {@code debug} writes to standard error. */
    public static void configure(boolean debug, @Nullable String file, boolean asJson) {
        if (!debug && file == null) return;
        ILoggerFactory factory = LoggerFactory.getILoggerFactory();
        if (!(factory instanceof LoggerContext context)) return;
        ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(debug ? Level.DEBUG : Level.INFO);
        if (debug) {
            ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
            console.setTarget("System.err");
            start(context, root, console, asJson);
        }
        if (file != null) {
            FileAppender<ILoggingEvent> appender = new FileAppender<>();
            appender.setFile(file);
            start(context, root, appender, asJson);
        }
        context.getLogger("io.netty").setLevel(Level.INFO);
        context.getLogger("reactor").setLevel(Level.INFO);
    }

    /**
     * Of a program that serves.
     *
     * @param mask a word of control_log_mask
     * @param file none for standard error, which a service manager keeps
     */
    public static void serve(String mask, Optional<Path> file, boolean asJson) {
        ILoggerFactory factory = LoggerFactory.getILoggerFactory();
        if (!(factory instanceof LoggerContext context)) return;
        ch.qos.logback.classic.Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.detachAndStopAllAppenders();
        root.setLevel(
                switch (mask) {
                    case "DISABLED" -> Level.OFF;
                    case "NOTICE" -> Level.WARN;
                    default -> Level.toLevel(mask, Level.INFO);
                });
        if (file.isPresent()) {
            FileAppender<ILoggingEvent> appender = new FileAppender<>();
            appender.setFile(file.get().toString());
            start(context, root, appender, asJson);
        } else {
            ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
            console.setTarget("System.err");
            start(context, root, console, asJson);
        }
        context.getLogger("io.netty").setLevel(Level.INFO);
        context.getLogger("reactor").setLevel(Level.INFO);
    }

    private static void start(
            LoggerContext context,
            ch.qos.logback.classic.Logger root,
            OutputStreamAppender<ILoggingEvent> appender,
            boolean asJson) {
        appender.setContext(context);
        appender.setEncoder(encoder(context, asJson));
        appender.start();
        root.addAppender(appender);
    }

    private static Encoder<ILoggingEvent> encoder(LoggerContext context, boolean asJson) {
        if (asJson) {
            JsonEncoder encoder = new JsonEncoder();
            encoder.setContext(context);
            encoder.start();
            return encoder;
        }
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern("%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{1} " + LogText.PATTERN);
        encoder.start();
        return encoder;
    }
}
