package io.daosmesh.cli;

import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * The JDK's own logging in a tool: none. What would serve it otherwise, java.util.logging, costs every call some milliseconds
 * and writes on the administrator's terminal. Any thread.
 */
public final class SilentLoggers extends System.LoggerFinder {
    @Override
    public System.Logger getLogger(String name, Module module) {
        return new Silent(name);
    }

    private record Silent(String name) implements System.Logger {
        @Override
        public String getName() {
            return name;
        }

        @Override
        public boolean isLoggable(Level level) {
            return false;
        }

        @Override
        public void log(
                Level level, @Nullable ResourceBundle texts, @Nullable String text, @Nullable Throwable cause) {}

        @Override
        public void log(
                Level level, @Nullable ResourceBundle texts, @Nullable String format, @Nullable Object... values) {}
    }
}
