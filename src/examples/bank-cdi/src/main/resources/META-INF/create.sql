create table if not exists cdi_account (id text primary key, owner text not null, balance bigint not null, deposits int not null);
