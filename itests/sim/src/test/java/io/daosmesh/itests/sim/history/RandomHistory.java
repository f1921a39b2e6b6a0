package io.daosmesh.itests.sim.history;

import io.daosmesh.itests.sim.history.RegisterModel.Kind;
import io.daosmesh.itests.sim.history.RegisterModel.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Makes histories: of nothing in particular, or of a register that works. */
final class RandomHistory {
    private final SplittableRandom random;
    private int values;

    RandomHistory(SplittableRandom random) {
        this.random = random;
    }

    private Operation wanted() {
        return switch (random.nextInt(8)) {
            case 0 -> Operation.put(RegisterModel.ABSENT);
            case 1, 2 -> Operation.put(++values);
            case 3 -> Operation.insert(++values);
            case 4 -> new Operation(Kind.REPLACE, ++values, 0, false);
            case 5 -> Operation.compareAndSet(random.nextInt(values + 1), ++values);
            default -> Operation.read(0);
        };
    }

    /** Times and answers without any sense. */
    List<Call<Operation>> anything(int count) {
        List<Call<Operation>> calls = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Operation o = wanted();
            if (o.kind() == Kind.READ) o = Operation.read(random.nextInt(Math.max(1, values) + 1));
            else if (o.kind() != Kind.PUT && random.nextInt(3) == 0) o = o.unmet();
            long from = random.nextInt(20);
            boolean isOpen = !o.isUnmet() && random.nextInt(5) == 0;
            calls.add(new Call<>(i, o, from, isOpen ? Call.NEVER : from + random.nextInt(12)));
        }
        return calls;
    }

    private static final class Running {
        private Operation operation = Operation.read(0);
        private long fromNs;
        private long actsNs;
        private long endsNs;
        private boolean hasActed;
    }

    /** Clients of one register whose calls take effect at one moment each; some never hear of it, some of that is late. */
    List<Call<Operation>> ofARegister(int count, int clients) {
        List<Call<Operation>> calls = new ArrayList<>();
        RegisterModel model = new RegisterModel();
        Running[] running = new Running[clients];
        List<Running> late = new ArrayList<>();
        int state = 0;
        for (long now = 0; calls.size() < count; now++) {
            for (int c = 0; c < clients; c++) {
                Running r = running[c];
                if (r == null) {
                    if (random.nextInt(4) == 0) running[c] = begin(now);
                } else if (!r.hasActed && now >= r.actsNs) {
                    state = act(model, r, state);
                } else if (now >= r.endsNs && r.hasActed) {
                    calls.add(new Call<>(c, r.operation, r.fromNs, now));
                    running[c] = null;
                } else if (!r.hasActed && r.operation.kind() != Kind.READ && random.nextInt(150) == 0) {
                    calls.add(new Call<>(c, r.operation, r.fromNs, Call.NEVER));
                    r.actsNs = now + random.nextInt(100);
                    if (random.nextBoolean()) late.add(r);
                    running[c] = null;
                }
            }
            for (int i = late.size() - 1; i >= 0; i--) {
                if (now < late.get(i).actsNs) continue;
                Integer after = model.apply(state, late.remove(i).operation, true);
                if (after != null) state = after;
            }
        }
        for (Running r : running) {
            boolean mayHaveChanged = r != null && r.hasActed && !model.isPure(r.operation);
            if (mayHaveChanged) calls.add(new Call<>(clients, r.operation, r.fromNs, Call.NEVER));
        }
        return calls;
    }

    private Running begin(long now) {
        Running r = new Running();
        r.operation = wanted();
        r.fromNs = now;
        r.actsNs = now + 1 + random.nextInt(6);
        r.endsNs = r.actsNs + 1 + random.nextInt(6);
        return r;
    }

    private static int act(RegisterModel model, Running r, int state) {
        r.hasActed = true;
        if (r.operation.kind() == Kind.READ) r.operation = Operation.read(state);
        Integer after = model.apply(state, r.operation, false);
        if (after != null) return after;
        r.operation = r.operation.unmet();
        return state;
    }

    /** Appends a write and its reads, then one that goes back to a value that others have seen replaced. */
    static List<Call<Operation>> withALongStaleRead(List<Call<Operation>> calls, SplittableRandom random) {
        List<Call<Operation>> wrong = new ArrayList<>(calls);
        long end = calls.stream()
                .filter(c -> !c.isOpen())
                .mapToLong(Call::respondedNs)
                .max()
                .orElse(0);
        int newest = 1_000_000 + random.nextInt(1_000);
        wrong.add(new Call<>(0, Operation.put(newest), end + 1, end + 2));
        wrong.add(new Call<>(0, Operation.put(newest + 1_000), end + 3, end + 4));
        wrong.add(new Call<>(1, Operation.read(newest + 1_000), end + 5, end + 6));
        wrong.add(new Call<>(2, Operation.read(newest), end + 7, end + 8));
        return wrong;
    }
}
