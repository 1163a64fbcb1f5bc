// What the phone keeps, in IndexedDB: the queue, and the last answers by name, so that there is something to see without network.
import type { Entry, Shelf } from './queue';

const NAME = 'outpost-field';
const VERSION = 1;
const ENTRIES = 'entries';
const KEPT = 'kept';

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the phone keeps nothing'));
  });
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(ENTRIES, { keyPath: 'seq', autoIncrement: true });
    request.result.createObjectStore(KEPT);
  };
  return done(request);
}

let opened: Promise<IDBDatabase> | null = null;

/** One transaction; on the phone when it resolves. */
async function within<T>(store: string, mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  opened ??= open();
  const transaction = (await opened).transaction(store, mode, { durability: 'strict' });
  const finished = new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('the phone keeps nothing'));
  });
  const [result] = await Promise.all([done(work(transaction.objectStore(store))), finished]);
  return result;
}

/** As plain data: what Vue watches cannot be cloned. */
function plain(entry: Omit<Entry, 'seq'>): Omit<Entry, 'seq'> {
  const { deed } = entry;
  const blob = deed.do === 'file' ? { blob: deed.blob } : {};
  return { ...entry, needs: [...entry.needs], result: { ...entry.result }, deed: { ...JSON.parse(JSON.stringify(deed)), ...blob } };
}

export const shelf: Shelf = {
  all: () => within(ENTRIES, 'readonly', store => store.getAll() as IDBRequest<Entry[]>),
  add: async entry => {
    const seq = await within(ENTRIES, 'readwrite', store => store.add(plain(entry)));
    return { ...entry, seq: seq as number };
  },
  put: async entry => void (await within(ENTRIES, 'readwrite', store => store.put(plain(entry)))),
  drop: async seq => void (await within(ENTRIES, 'readwrite', store => store.delete(seq))),
};

export function kept<T>(name: string): Promise<T | undefined> {
  return within(KEPT, 'readonly', store => store.get(name) as IDBRequest<T | undefined>);
}

export async function keep(name: string, value: unknown): Promise<void> {
  await within(KEPT, 'readwrite', store => store.put(JSON.parse(JSON.stringify(value)), name));
}
