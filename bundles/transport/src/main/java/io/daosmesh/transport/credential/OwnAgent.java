package io.daosmesh.transport.credential;

import io.daosmesh.model.wire.CredentialMessage;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Credentials of a process that acts as its own agent: whoever can read the agent's key may speak for any user of the
 * machine, so this one speaks for its own. Any thread.
 */
public final class OwnAgent {
    private static final Duration LIFE = Duration.ofHours(1);

    private final String system;
    private final Function<CredentialMessage, byte[]> sign;
    private byte @Nullable [] current;
    private long renewAtMs;

    /** @param sign what the agent's key does, or {@link Credentials#unsigned} */
    public OwnAgent(String system, Function<CredentialMessage, byte[]> sign) {
        this.system = system;
        this.sign = sign;
    }

    /** For half of its life the same: signing costs a millisecond. */
    public synchronized byte[] get() {
        long nowMs = System.currentTimeMillis();
        byte[] known = current;
        if (known != null && nowMs < renewAtMs) return known;
        byte[] fresh = sign.apply(Credentials.about(LocalUser.get(), system, nowMs, LIFE));
        current = fresh;
        renewAtMs = nowMs + LIFE.toMillis() / 2;
        return fresh;
    }
}
