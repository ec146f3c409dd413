select w.pid, w.state, w.since, w.memory_bytes, w.waiting_for, w.preloaded from vb_worker_status w limit 1
