package io.daosmesh.cli.start;

import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * What the JDK itself logs goes nowhere: it asks for its log at the first certificate, and starting its own would take longer
 * than the handshake. Any thread.
 */
public final class SilentPlatform extends System.LoggerFinder implements System.Logger {
    @Override
    public System.Logger getLogger(String name, Module module) {
        return this;
    }

    @Override
    public String getName() {
        return "";
    }

    @Override
    public boolean isLoggable(Level level) {
        return false;
    }

    @Override
    public void log(
            Level level, @Nullable ResourceBundle bundle, @Nullable String message, @Nullable Throwable thrown) {}

    @Override
    public void log(
            Level level, @Nullable ResourceBundle bundle, @Nullable String format, @Nullable Object... params) {}
}
