package io.daosmesh.cli.dmg.access;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.model.fault.Fault;

/** The way to the system, opened at the first call. Owner: the thread of the command. */
public interface Access extends AutoCloseable {
    AdminCalls calls();

    /** The cause where it is known better than by the connection that failed; else the fault itself. */
    Fault explained(Fault fault);

    @Override
    void close();
}
