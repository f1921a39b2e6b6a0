package io.daosmesh.client;

import java.util.UUID;

/**
 * Is told which pools this process holds, so that they can be given back for it when it dies: the agent of the machine. Called
 * on the client's threads: it has to return soon. What it throws is logged and has no other effect.
 */
public interface HandleListener {
    /** Nobody wants to know. */
    HandleListener NONE = new HandleListener() {
        @Override
        public void onConnected(UUID pool, byte[] handle) {}

        @Override
        public void onDisconnected(UUID pool, byte[] handle) {}
    };

    /** Before the application gets the pool. The handles of its containers end with this one. */
    void onConnected(UUID pool, byte[] handle);

    /** The pool service has taken it back, or says that it has ended. */
    void onDisconnected(UUID pool, byte[] handle);
}
