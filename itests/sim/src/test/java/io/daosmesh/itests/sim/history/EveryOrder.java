package io.daosmesh.itests.sim.history;

import java.util.List;

/** Tries every order and every choice of open calls: slow, and too simple to be wrong. Stateless. */
final class EveryOrder {
    private EveryOrder() {}

    static <S, O> boolean explains(Model<S, O> model, List<Call<O>> calls) {
        return explains(model, calls, new boolean[calls.size()], model.initial());
    }

    private static <S, O> boolean explains(Model<S, O> model, List<Call<O>> calls, boolean[] isDone, S state) {
        boolean isAll = true;
        for (int i = 0; i < isDone.length; i++)
            isAll &= isDone[i] || calls.get(i).isOpen();
        if (isAll) return true;
        for (int i = 0; i < isDone.length; i++) {
            if (isDone[i] || !mayBeNext(calls, isDone, i)) continue;
            S after = model.apply(state, calls.get(i).operation(), calls.get(i).isOpen());
            if (after == null) continue;
            isDone[i] = true;
            boolean isFound = explains(model, calls, isDone, after);
            isDone[i] = false;
            if (isFound) return true;
        }
        return false;
    }

    private static <O> boolean mayBeNext(List<Call<O>> calls, boolean[] isDone, int next) {
        for (int i = 0; i < isDone.length; i++) {
            if (!isDone[i] && calls.get(i).respondedNs() < calls.get(next).invokedNs()) return false;
        }
        return true;
    }
}
