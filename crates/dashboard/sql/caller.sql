select c.administers or c.writes_all as writes_all, c.writes from vb_caller c
