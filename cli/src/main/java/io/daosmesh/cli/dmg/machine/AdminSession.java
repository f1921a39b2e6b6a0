package io.daosmesh.cli.dmg.machine;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What a command of dmg stands on: whom to ask, and how to answer. Owner: the main thread. */
public interface AdminSession {
    /** Hosts of the command line, else of the configuration. */
    List<String> hosts();

    AdminCalls calls();

    /** Certificates are not used. */
    boolean isInsecure();

    /** Text, or its JSON twin; the exit status. */
    int show(Supplier<String> text, Supplier<? extends @Nullable Object> response);

    /** As above, after the errors of hosts that failed; any of those makes the command fail. */
    int show(HostReplies<?> replies, Supplier<String> text, Supplier<Map<String, ?>> response);
}
