package io.daosmesh.transport.server;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Bytes that the clients of one role may keep a node busy with, shared out fairly. Any thread. A client may hold as much as is
 * still free (dynamic thresholds: Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches",
 * 1998): alone it gets half; of n greedy ones each comes to 1/(n+1), for what is given back goes to those who hold least.
 */
final class Budget {
    private final long bytesMax;
    private final AtomicLong used = new AtomicLong();
    private final Map<String, Account> accounts = new ConcurrentHashMap<>();

    Budget(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    long used() {
        return used.get();
    }

    int accounts() {
        return accounts.size();
    }

    /** The account of a client; all its connections share it. {@link Account#close} gives it back. */
    Account open(String client) {
        return accounts.compute(client, (name, known) -> {
            Account account = known == null ? new Account(name) : known;
            account.connections++;
            return account;
        });
    }

    /** What one client has under way. Any thread. */
    final class Account {
        private final String client;
        private final AtomicLong held = new AtomicLong();
        /** Guarded by the table's entry. */
        private int connections;

        private Account(String client) {
            this.client = client;
        }

        long held() {
            return held.get();
        }

        /** False when the client has its share; several threads at once may overshoot by what each of them asks for. */
        boolean take(long bytes) {
            if (held.get() + bytes > bytesMax - used.get()) return false;
            held.addAndGet(bytes);
            used.addAndGet(bytes);
            return true;
        }

        void giveBack(long bytes) {
            held.addAndGet(-bytes);
            used.addAndGet(-bytes);
        }

        /** One connection less. */
        void close() {
            accounts.computeIfPresent(client, (name, known) -> --known.connections == 0 ? null : known);
        }
    }
}
