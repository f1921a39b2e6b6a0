package io.daosmesh.cli;

import java.io.Console;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jspecify.annotations.Nullable;

/** A bar on a terminal, nothing elsewhere. Any thread. */
final class DaosProgress implements AutoCloseable {
    private final @Nullable ProgressBar bar;

    /** @param total bytes; unknown is not foreseen: the copy measures its source first */
    DaosProgress(DaosContext context, long total) {
        bar = context.isTerminal()
                ? new ProgressBarBuilder()
                        .setTaskName("copy")
                        .setInitialMax(total)
                        .setUnit(" MB", 1_000_000)
                        .setUpdateIntervalMillis((int) Duration.ofMillis(200).toMillis())
                        .showSpeed()
                        .setConsumer(new ConsoleProgressBarConsumer(context.err()))
                        .build()
                : null;
    }

    void add(long bytes) {
        if (bar != null) bar.stepBy(bytes);
    }

    @Override
    public void close() {
        if (bar != null) bar.close();
    }

    /** From JDK 22 on there is a console also where nobody sits; it knows whether somebody does. */
    static boolean isTerminal() {
        Console console = System.console();
        if (console == null) return false;
        try {
            return (Boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException before22) {
            return true;
        }
    }
}
