package io.daosmesh.engine.access;

import com.google.protobuf.ByteString;
import io.daosmesh.model.access.User;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.HandleMessage;
import org.jspecify.annotations.Nullable;

/** What a container handle is good for, as the pool service says. Immutable. */
public record Grant(ByteString pool, ByteString container, int rights, String user, String machine) {
    /** A pool service speaks of handles of its own pool only, whatever it says. */
    public static Grant of(ByteString pool, HandleMessage m) {
        return new Grant(pool, m.getContainer(), m.getRights(), m.getUser(), m.getMachine());
    }

    /** Why the caller may not do this with the handle; null when it may. Asked for every request: it only compares. */
    public @Nullable Fault refusal(User by, ByteString inPool, ByteString inContainer, Right wanted) {
        boolean isTheirs = user.equals(by.user()) && machine.equals(by.machine());
        if (!isTheirs || !pool.equals(inPool) || !container.equals(inContainer)) return invalid(by);
        if (wanted.isIn(rights)) return null;
        String open = wanted == Right.WRITE ? "to read only" : "without the right to read";
        return Fault.of(FaultCode.NO_PERM, "the container is open %s", open)
                .remedy("open it with the rights that are needed");
    }

    /** The same words for a handle that is not there and one of somebody else: nobody can probe for them. */
    public static Fault invalid(User by) {
        return Fault.of(FaultCode.NO_HDL, "%s on %s has no such container open", by.user(), by.machine());
    }
}
